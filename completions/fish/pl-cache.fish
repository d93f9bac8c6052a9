# fish completion for pl-cache
complete -c pl-cache -f
complete -c pl-cache -n __fish_use_subcommand -a 'status verify'
complete -c pl-cache -l shallow -d 'verify without reading the unpacked layers'
complete -c pl-cache -l progress -x -a 'auto tty plain github' -d 'how the work is told on standard error'
complete -c pl-cache -s q -l quiet -d 'tell only what fails'
complete -c pl-cache -s v -l verbose -d 'tell more'
complete -c pl-cache -s h -l help -d 'show the help'
complete -c pl-cache -l version -d 'show the version'
