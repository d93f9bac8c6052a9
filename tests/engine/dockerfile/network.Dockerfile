ARG BASE
FROM $BASE
RUN --network=none ls /sys/class/net > /interfaces
RUN --network=default true
RUN --network=host true
