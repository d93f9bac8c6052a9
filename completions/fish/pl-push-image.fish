# fish completion for pl-push-image
complete -c pl-push-image -f
complete -c pl-push-image -s r -l repo -x -d 'a repository of Artifact Registry (my-repo), or a full reference (ghcr.io/me/shop:v1)'
complete -c pl-push-image -s t -l tag -x -d 'a tag; without it the git commit when the tree is clean, else the digest\'s first 12 digits'
complete -c pl-push-image -l name -x -d 'the image\'s name below my-repo; without it the name in the record'
complete -c pl-push-image -l project -x -d 'the project of my-repo; without it GOOGLE_CLOUD_PROJECT, then what the credentials say'
complete -c pl-push-image -l region -x -d 'the region of my-repo'
complete -c pl-push-image -s o -l output -x -a 'json ref human' -d 'what is written to standard output: records, refs alone, or a text for people; without it records in a pipe or file, and the ref on a terminal'
complete -c pl-push-image -l progress -x -a 'auto tty plain github' -d 'how the work is told on standard error'
complete -c pl-push-image -s q -l quiet -d 'tell only what fails'
complete -c pl-push-image -s v -l verbose -d 'tell more'
complete -c pl-push-image -s h -l help -d 'show the help'
complete -c pl-push-image -l version -d 'show the version'
