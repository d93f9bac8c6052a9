ARG BASE
FROM $BASE
ENV who=world
RUN <<EOF
echo first $who > /first
false || echo second > /second
EOF
RUN <<EOF cat > /piped
text of $who
EOF
RUN cat > /literal <<'EOF' && echo after > /after
not $replaced
EOF
RUN <<EOF
#!/bin/busybox sh
echo "a script of its own: $who" > /script
EOF
