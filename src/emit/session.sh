
# qemu:///session runs this as the user. polkit asks whether the same file may do its work as root. It is asked
# only for a VM that has the vGPU, or when the vGPU is still there.
if [ "$(id -u)" != 0 ]; then
    setup_gpu() {
        [ "$1" = "$domain" ] || return 0
        uuid=$(printf '%s' "${2-}" | tr A-F a-f)
        if ! is_wanted "$uuid"; then
            [ "$operation" = release ] || return 0
            is_uuid "$uuid" && [ -d "/sys/bus/mdev/devices/$uuid" ] || return 0
        fi
        # shellcheck disable=SC2154 # they are set above
        printf '%s\n' "$xml" 2>/dev/null | pkexec "$0" "$domain" "$operation" "$suboperation" -
        exit
    }
fi
