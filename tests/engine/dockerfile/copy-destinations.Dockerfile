ARG BASE
FROM $BASE
COPY one.txt /a/new/name
COPY one.txt /a/folder/
COPY src /copied
COPY src/ /copied-slash/
COPY src/pkg/ src/main.py two.txt /several/
COPY . /all
WORKDIR /work
COPY one.txt .
COPY two.txt ./
COPY three.md renamed.md
COPY src sub
COPY ./src/./pkg/../main.py normal.py
COPY one.txt /opt
COPY one.txt two.txt /home/app/
COPY one.txt /usr/local/bin/
