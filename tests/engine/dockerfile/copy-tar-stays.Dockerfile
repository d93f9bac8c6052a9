ARG BASE
FROM $BASE
COPY tree.tar /kept/
COPY tree.tar.gz /kept/renamed.gz
