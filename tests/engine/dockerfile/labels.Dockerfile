ARG BASE
FROM $BASE
LABEL one=1 "two words"="a b" com.example.path="/x/y"
LABEL multi="line \
continues"
LABEL old style label
ARG VERSION=1.2
LABEL version=$VERSION one=again
MAINTAINER Somebody <somebody@example.com>
