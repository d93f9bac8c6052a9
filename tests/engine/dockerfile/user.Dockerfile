ARG BASE
FROM $BASE
USER app
RUN id > /tmp/app && touch /home/app/mine
COPY one.txt /home/app/
USER 1234:50
RUN id -u > /tmp/number; id -g >> /tmp/number
USER app:staff
RUN id > /tmp/group
USER 77
RUN id > /tmp/unknown
USER root
RUN id > /root-id
