ARG BASE
FROM $BASE
CMD echo $HOME   with   spaces "and quotes"
