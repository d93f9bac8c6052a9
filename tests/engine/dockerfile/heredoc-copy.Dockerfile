ARG BASE
FROM $BASE
ENV who=world
COPY <<EOF /hello
hello $who
  "quoted" \$literal
EOF
COPY <<"EOF" <<-TWO /folder/
not $replaced
EOF
	a tab is taken away from $who
	TWO
COPY --chmod=755 --chown=app <<EOF /script
#!/bin/busybox sh
EOF
