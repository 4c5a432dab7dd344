# bash completion for gvtg-xml. It asks the program which words are possible.
_gvtg_xml() {
    local answer words word
    mapfile -t answer < <("${COMP_WORDS[0]}" generate words -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
    words=("${answer[@]:1}")
    COMPREPLY=()
    for word in "${words[@]}"; do
        COMPREPLY+=("${word%%$'\t'*}")
    done
    word=${COMP_WORDS[COMP_CWORD]}
    if [ "$word" = = ]; then
        word=
    fi
    case ${answer[0]-} in
    files)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
        ;;
    folders)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$word")
        ;;
    esac
}
complete -F _gvtg_xml gvtg-xml
