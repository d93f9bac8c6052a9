ARG BASE
FROM $BASE
RUN mkdir /s && cd /s && mkfifo fifo && echo x > a && ln a b && chmod 4755 a && mkdir sticky && chmod 1777 sticky && chown 5:6 sticky && mkdir gid && chmod 2750 gid
RUN cd /s && ln -s . self && touch "with space" 'back\slash' "ünïcode" && echo big > big && chmod 000 big && : > empty
