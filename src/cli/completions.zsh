#compdef gvtg-xml
# zsh completion for gvtg-xml. It asks the program which words are possible.
_gvtg-xml() {
    local -a answer described
    local line result=1
    answer=("${(@f)$("${(Q)words[1]}" generate words -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    for line in "${(@)answer[2,-1]}"; do
        described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    (( $#described )) && _describe -V 'gvtg-xml' described && result=0
    case $answer[1] in
        (files)
            [[ $PREFIX == --*=* ]] && compset -P '*='
            _files && result=0
            ;;
        (folders)
            [[ $PREFIX == --*=* ]] && compset -P '*='
            _files -/ && result=0
            ;;
    esac
    return result
}
if [[ ${funcstack[1]} == _gvtg-xml ]]; then
    _gvtg-xml "$@"
else
    compdef _gvtg-xml gvtg-xml
fi
