ARG BASE
FROM $BASE
COPY ["with space/a file.txt", "/b/the file.txt"]
COPY ["with space", "/c/"]
ENV name="with space"
COPY ["$name/a file.txt", "/d/$name.txt"]
