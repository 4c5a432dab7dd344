# ask.zsh SCRIPT LINE FOLDER: what zsh completes the end of LINE to, in FOLDER: a line each. It is typed to a zsh on a terminal of its own,
# whose compadd, through which all goes that is offered, says it.
zmodload zsh/zpty || exit 2
script=$1 line=$2 folder=$3
zpty asked zsh -f -i
zpty -w asked "stty -echo; PROMPT= RPROMPT= PS2=; cd ${(q)folder}; unsetopt zle_bracketed_paste beep 2>/dev/null; unset zle_bracketed_paste"
zpty -w asked 'autoload -Uz compinit; compinit -u -D; zstyle ":completion:*" insert-tab false; setopt no_list_beep; TRAPEXIT() { }'
zpty -w asked "source ${(q)script}"
zpty -w asked 'compadd() {
    local -a hits
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    builtin compadd -A hits "$@"
    local -A prefix
    builtin zparseopts -E -A prefix P: p: 2>/dev/null
    local hit
    for hit in "${hits[@]}"; do print -r -- "OFFERED:$IPREFIX${prefix[-P]}${prefix[-p]}$hit"; done
    builtin compadd "$@"
}; zmodload zsh/zutil; bindkey "^I" complete-word; asked-done() { print "ALL-OFFERED" }; compprefuncs=(); comppostfuncs=(asked-done)'
zpty -w asked 'print READY-$((1+1))'
while zpty -r asked answer && [[ $answer != *READY-2* ]]; do :; done
zpty -w -n asked "$line"$'\t'
while zpty -r asked answer; do
    [[ $answer == *ALL-OFFERED* ]] && break
    [[ $answer == *OFFERED:* ]] && print -r -- "${${answer##*OFFERED:}%%[$'\r\n']*}"
done
zpty -d asked
