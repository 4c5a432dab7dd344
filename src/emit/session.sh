
# With qemu:///session, libvirt runs this script as the user. The script then runs itself as root with pkexec, which may ask for a password
# (polkit). It does so only for a VM that has the vGPU, or if the vGPU still exists when the VM stops.
if [ "$(id -u)" != 0 ]; then
    setup_gpu() {
        [ "$1" = "$domain" ] || return 0
        uuid=$(printf '%s' "${2-}" | tr A-F a-f)
        if ! is_wanted "$uuid"; then
            [ "$operation" = release ] || return 0
            is_uuid "$uuid" && [ -d "/sys/bus/mdev/devices/$uuid" ] || return 0
        fi
        # shellcheck disable=SC2154 # These are set above.
        printf '%s\n' "$xml" 2>/dev/null | pkexec "$0" "$domain" "$operation" "$suboperation" -
        exit
    }
fi
