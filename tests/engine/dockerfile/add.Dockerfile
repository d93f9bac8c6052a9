ARG BASE
FROM $BASE
ADD one.txt /added/
ADD src /added/src
ADD --chown=app:staff run.sh /added/run
ADD tree.tar /plain
ADD tree.tar.gz /zipped/
ADD *.tar /wild/
ADD link-to-file /linked
