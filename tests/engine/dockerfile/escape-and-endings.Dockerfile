# syntax=docker/dockerfile:1
# escape=`
ARG BASE
FROM $BASE
# a comment
RUN echo one && `
   # inside

   echo two > /two
COPY one.txt c:\x
