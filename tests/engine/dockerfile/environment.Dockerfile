ARG BASE
FROM $BASE
ENV one=1 two="two words" three=3\ 3 four='single $one'
ENV old form of $one
ENV one=changed copy=$one
ENV after=$one unset=[$nothing] default=${nothing:-word} alternative=${one:+set} quoted="a \"b\" c" \
    braces=${one}x escaped=\$one
ENV PATH=/extra:$PATH
ENV long=first\
second
RUN echo "$one,$two,$three,$four,$old,$copy,$after,$unset,$default,$alternative,$quoted,$braces,$escaped,$PATH,$long" > /environment
