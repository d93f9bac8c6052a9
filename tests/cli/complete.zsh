# complete.zsh FOLDER LINE EXPECTED: presses TAB after LINE in an interactive zsh whose completions come from FOLDER, and
# reads until EXPECTED is shown. The caller limits the time.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; unset zle_bracketed_paste; fpath=($1 \$fpath); autoload -U compinit; compinit -D -u; print re''ady"
zpty -r -m shell seen '*ready*' || exit 1
zpty -n -w shell "$2"$'\t'
zpty -r -m shell seen "*$3*" || exit 1
zpty -d shell
