# fish completion for pl-changed
complete -c pl-changed -f
complete -c pl-changed -a '(__fish_complete_directories)'
complete -c pl-changed -a '(__pl_values "applications")'
complete -c pl-changed -l since -x -a '(__pl_values "commits")' -d 'a commit, branch or tag; what the work tree has changed since it and HEAD parted. Without it: the target of the pull or merge request, the commit before the push (in CI), else the default branch of origin'
complete -c pl-changed -l shared -x -d 'a file or directory that all components depend on'
complete -c pl-changed -l all-when-unknown -d 'when the commit is not there (a new branch, a shallow clone), all components count as changed'
complete -c pl-changed -l json -d 'print an array of {"directory", "files"} with the files that changed, at most 1000 of each'
complete -c pl-changed -l progress -x -a 'auto tty plain github' -d 'how the work is told on standard error'
complete -c pl-changed -s q -l quiet -d 'tell only what fails'
complete -c pl-changed -s v -l verbose -d 'tell more'
complete -c pl-changed -s h -l help -d 'show the help'
complete -c pl-changed -l version -d 'show the version'
