ARG BASE
FROM $BASE
RUN rm /etc/group /bin/vi && rm -r /home/app && mkdir /home/app && echo new > /home/app/new
RUN rm -r /opt && echo file > /opt && mkdir /one && mv /etc/passwd /etc/moved
RUN rm -r /one && mkdir -p /one/two && chmod 700 /one && mkdir -p /dir && touch /dir/a /dir/b
RUN rm /dir/a && mv /dir /renamed && ln -sf /new-target /bin/sh2
