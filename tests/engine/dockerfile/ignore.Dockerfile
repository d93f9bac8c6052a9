ARG BASE
FROM $BASE
COPY . /context
COPY src /src
