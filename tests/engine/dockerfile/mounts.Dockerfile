ARG BASE
FROM $BASE AS other
RUN mkdir /files && echo other > /files/file
FROM $BASE
RUN --mount=type=cache,target=/cache,id=test-of-mounts echo cached > /cache/file && ls /cache > /listing
RUN --mount=type=cache,target=/cache,id=test-of-mounts cat /cache/file > /found
RUN --mount=type=bind,target=/context ls /context/src > /bound && ! touch /context/x
RUN --mount=type=bind,source=src/pkg,target=/pkg,rw ls /pkg > /package && touch /pkg/x
RUN --mount=type=bind,from=other,source=/files,target=/other cat /other/file > /from-other
RUN --mount=type=tmpfs,target=/scratch-space echo x > /scratch-space/file && ls /scratch-space > /scratched
RUN --mount=type=secret,id=token cat /run/secrets/token > /was-secret
RUN --mount=type=secret,id=token,target=/etc/token,mode=0444 ls -l /etc/token | cut -c1-10 > /mode
RUN --mount=type=secret,id=absent echo "without" > /without
