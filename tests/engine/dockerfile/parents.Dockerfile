ARG BASE
FROM $BASE
RUN mkdir -p /home/app/deep /var/spool/x && chown app:app /home/app/deep && chmod 750 /home/app/deep && chmod 1777 /var/spool
COPY one.txt /home/app/deep/one.txt
COPY --chown=app two.txt /home/app/deep/new/two.txt
COPY src /var/spool/x/src
COPY one.txt /root/
COPY one.txt /tmp/
COPY --chown=app one.txt /fresh/dir/one.txt
