ARG BASE
FROM $BASE AS build
RUN cp /bin/busybox /tool
FROM scratch
COPY --from=build /tool /tool
COPY one.txt /data/
ENTRYPOINT ["/tool"]
CMD ["echo", "hello"]
