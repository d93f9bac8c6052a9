ARG BASE
FROM $BASE
COPY --chmod=0600 one.txt /private
COPY --chmod=755 one.txt /script
COPY --chmod=4755 run.sh /set-uid
COPY --chmod=0750 src /folder
COPY --chmod=640 --chown=app:staff two.txt /both
COPY run.sh one.txt /plain/
