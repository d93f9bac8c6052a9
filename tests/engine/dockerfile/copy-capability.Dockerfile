ARG BASE
FROM $BASE AS build
FROM $BASE
COPY --from=build /bin/capable /kept
COPY --from=build --chmod=0700 /bin/capable /kept-with-mode
COPY --from=build --chown=1:2 /bin/capable /kept-with-owner
