ARG BASE
FROM $BASE
ENV port=9090
EXPOSE 80 443/tcp 53/udp $port
VOLUME /data
VOLUME ["/json", "/other place"]
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=30s --timeout=1m30s --start-period=500ms --retries=4 CMD wget -q localhost || exit 1
USER app:staff
WORKDIR /srv
CMD ["a", "b c"]
