ARG BASE
FROM $BASE
RUN mkdir -p /data/folder && echo old > /data/folder/old && chown app:app /data/folder && chmod 700 /data/folder
ADD tree.tar /data
ADD --chown=7:8 tree.tar /owned
