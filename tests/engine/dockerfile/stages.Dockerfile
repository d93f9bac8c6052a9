ARG BASE
FROM $BASE AS one
RUN echo one > /one
FROM one AS two
RUN echo two > /two
FROM $BASE AS never
RUN echo this stage is not needed; exit 1
FROM $BASE
COPY --from=two /one /two /
COPY --from=1 /two /again
