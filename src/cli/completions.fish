# fish completion for gvtg-xml. It asks the program which words are possible.
function __gvtg_xml_words
    set -l before (commandline -opc)
    set -l token (commandline -ct)
    set -l answer ($before[1] generate words -- $before "$token" 2>/dev/null)
    string match -qr '\t' -- "$answer"; and printf '%s\n' $answer[2..-1]
    set -l flag (string match -r -- '^--[^=]+=' $token)
    set -l path (string replace -r -- '^--[^=]+=' '' "$token")
    switch "$answer[1]"
        case files
            printf "$flag%s\n" (__fish_complete_path "$path")
        case folders
            printf "$flag%s\n" (__fish_complete_directories "$path" '')
    end
end
complete -c gvtg-xml -f -a '(__gvtg_xml_words)'
