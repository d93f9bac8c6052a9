ARG BASE
FROM $BASE AS base
ENTRYPOINT ["/run"]
CMD ["argument"]
FROM base
ENTRYPOINT run $shell form
