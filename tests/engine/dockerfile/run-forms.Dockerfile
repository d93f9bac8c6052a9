ARG BASE
FROM $BASE
RUN echo shell form > /shell && echo "$0" > /zero
RUN ["/bin/sh", "-c", "echo exec form $HOME > /exec"]
RUN ["touch", "/a file", "/$HOME"]
RUN pwd > /pwd; umask > /umask; id -u > /uid
RUN true
RUN ["echo", "no", "change"]
