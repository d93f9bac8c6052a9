ARG BASE
FROM $BASE
RUN mkdir -p /data/inner /data/keep && echo old > /data/one.txt && chown -R app:staff /data && chmod 2775 /data && chmod 700 /data/inner \
 && ln -s /etc/passwd /data/two.txt && echo file > /plain && chmod 600 /data/one.txt
COPY one.txt /data/
COPY two.txt /data/two.txt
COPY src /data/inner
COPY one.txt /data/keep
COPY one.txt /plain
RUN mkdir -p /existing/deep && chown -R app /existing && chmod 700 /existing/deep && ln -s deep /existing/link
COPY docs /existing
RUN stat -c "%n %u:%g %a" /data/* > /listing
