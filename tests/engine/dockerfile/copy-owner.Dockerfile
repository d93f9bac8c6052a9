ARG BASE
FROM $BASE
COPY --chown=app one.txt /names/one.txt
COPY --chown=app:staff src /names/src
COPY --chown=1234:4321 src /numbers
COPY --chown=1234 one.txt /only-user
COPY --chown=:50 one.txt /only-group
COPY --chown=app . /home/app/all
ARG WHO=app
COPY --chown=$WHO one.txt /by-variable
