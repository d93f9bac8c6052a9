# fish completion for pl
complete -c pl -f
complete -c pl -n __fish_use_subcommand -a 'help build cache changed export firebase-deploy from gcp-auth local push-image run-deploy run-job serve test with'
complete -c pl -n 'not __fish_use_subcommand' -a '(complete -C (string replace -r "^pl +(pl-)?" "pl-" -- (commandline -cp)))'
complete -c pl -l progress -x -a 'auto tty plain github' -d 'how the work is told on standard error'
complete -c pl -s q -l quiet -d 'tell only what fails'
complete -c pl -s v -l verbose -d 'tell more'
complete -c pl -s h -l help -d 'show the help'
complete -c pl -l version -d 'show the version'
