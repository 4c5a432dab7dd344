
# qemu:///session runs this as the user. polkit asks whether the same file may do its work as root.
if [ "$(id -u)" != 0 ]; then
    setup_gpu() {
        # shellcheck disable=SC2154 # they are set above
        [ "$1" != "$domain" ] || exec pkexec "$0" "$domain" "$operation" "$suboperation" -
    }
fi
