ARG BASE
FROM $BASE
WORKDIR /srv/application
WORKDIR data
ENV part=more
WORKDIR $part/${part}-deep
RUN pwd > here
WORKDIR /opt
RUN pwd > here
WORKDIR /left/empty
