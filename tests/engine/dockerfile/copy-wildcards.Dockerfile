ARG BASE
FROM $BASE
COPY *.txt /text/
COPY ?ne.txt /one/
COPY [ot]*.txt /class/
COPY src/*/*.py /python/
COPY s* /flattened/
COPY thr*.md /exact-name
COPY d?cs/*/ /deep/
