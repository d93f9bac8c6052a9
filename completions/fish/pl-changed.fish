# fish completion for pl-changed
complete -c pl-changed -f
complete -c pl-changed -a '(__fish_complete_directories)'
complete -c pl-changed -l since -x -d 'the commit, branch or tag to compare with: with what it and HEAD have in common'
complete -c pl-changed -l also -r -F -d 'a path that every directory depends on, such as a shared library'
complete -c pl-changed -l json -d 'print all of them as JSON, with the files that changed'
complete -c pl-changed -l progress -x -a 'auto tty plain github' -d 'how the work is told on standard error'
complete -c pl-changed -s q -l quiet -d 'tell only what fails'
complete -c pl-changed -s v -l verbose -d 'tell more'
complete -c pl-changed -s h -l help -d 'show the help'
complete -c pl-changed -l version -d 'show the version'
