ARG BASE
FROM $BASE
WORKDIR /home/app
COPY one.txt .
USER app
WORKDIR /home/app/made
RUN pwd > /tmp/here
WORKDIR /tmp
