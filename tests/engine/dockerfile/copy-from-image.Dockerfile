ARG BASE
ARG OTHER
FROM $OTHER AS other
FROM $BASE
COPY --from=other /etc/group /other/group
COPY --from=other /home /other/home
COPY --from=other /tmp /other/tmp
