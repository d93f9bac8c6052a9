ARG BASE
FROM $BASE
RUN mkdir -p /usr/lib && ln -s usr/lib /lib && ln -s /var/lib /state
COPY one.txt /lib/
COPY src /lib/python
COPY one.txt /state/file
COPY --chown=app two.txt /state/new/two.txt
