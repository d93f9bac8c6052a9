# fish completion for pl-cache
complete -c pl-cache -f
complete -c pl-cache -n __fish_use_subcommand -a 'gc status verify'
complete -c pl-cache -l keep-days -x -d 'gc keeps what was of use within so many days'
complete -c pl-cache -l max-size -x -d 'gc keeps of that only the latest, as much as fits into this size'
complete -c pl-cache -l min-free -x -d 'gc keeps of that only so much that the file system has so much room'
complete -c pl-cache -s n -l dry-run -d 'say what gc would remove, and remove nothing'
complete -c pl-cache -l shallow -d 'verify without reading the unpacked layers'
complete -c pl-cache -l progress -x -a 'auto tty plain github' -d 'how the work is told on standard error'
complete -c pl-cache -s q -l quiet -d 'tell only what fails'
complete -c pl-cache -s v -l verbose -d 'tell more'
complete -c pl-cache -s h -l help -d 'show the help'
complete -c pl-cache -l version -d 'show the version'
