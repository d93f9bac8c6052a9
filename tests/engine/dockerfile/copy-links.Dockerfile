ARG BASE
FROM $BASE
COPY link-to-file /from-link
COPY link-to-directory /from-directory-link
COPY link-to-directory/ /from-directory-link-slash/
COPY link-to-directory/main.py /through-link
COPY link-to-f* /wild/
COPY . /all/
RUN ln -s /target /link && mkdir /target
COPY one.txt /link/
COPY src /link
