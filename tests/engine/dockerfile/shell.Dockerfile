ARG BASE
FROM $BASE
SHELL ["/bin/sh", "-exc"]
RUN echo "$-" > /flags
CMD echo hello
