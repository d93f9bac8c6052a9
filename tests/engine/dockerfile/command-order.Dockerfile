ARG BASE
FROM $BASE
CMD first && second
CMD ["x", "$not"]
ENTRYPOINT ["/entry"]
