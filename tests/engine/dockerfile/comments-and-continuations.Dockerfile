# comment
ARG BASE

FROM $BASE

RUN echo a \
    # a comment in the middle
    && echo b > /b \

    && echo "# no comment" > /c
  # an indented comment
run echo lower case > /lower
	RUN	echo	tabs	>	/tabs
COPY one.txt \
     two.txt \
     /copied/
LABEL a=1 \
      b=2
