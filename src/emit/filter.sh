#!/bin/sh
# libvirt runs this script as root, as HOOK NAME OPERATION SUBOPERATION EXTRA, with the VM's XML on stdin. At migrate, libvirt replaces the
# XML with what the script prints; if it prints nothing, the XML stays unchanged. If the script failed, libvirt would refuse the VM, so it
# always exits with 0.
#
# A VM with a vGPU can only be migrated while it is shut off (virsh migrate --offline). When a saved VM is restored, the XML must match the
# saved state, and the state of a GVT-g vGPU cannot be saved anyway. So this script only acts at migrate, and ignores every other operation.

domain=${1-} operation=${2-} suboperation=${3-}
case $operation/$suboperation in
    migrate/begin) ;;
    *) exit 0 ;;
esac

# The caller's environment must not influence which programs run here. /usr/local comes last: libvirtd's AppArmor profile forbids running
# programs from it, and bash does not look any further once it has found one there.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/run/current-system/sw/bin LC_ALL=C
unset DISPLAY

# leave WHY: leaves the VM unchanged. libvirt does not show the output of a hook that exits with 0, so the reason also goes to the system log.
leave() {
    said="the VM '$domain' arrives unchanged: $1"
    printf 'gvtg-xml: %s\n' "$said" >&2
    ! command -v logger >/dev/null 2>&1 || logger -t gvtg-xml -p daemon.warning -- "$said" >/dev/null 2>&1 || :
    exit 0
}

# on_this_machine COMMAND FLAG…: runs gvtg-xml so that it skips VMs that do not use GVT-g, and vGPUs that are not known to be Intel's.
on_this_machine() {
    command=$1
    shift
    gvtg-xml "$command" --quiet --isolated --skip-foreign "--stdin-filename=$domain" "$@"
}

# could_not_fix STATUS: leaves the VM unchanged, and says why. 126 and 127 come from the shell: the program never ran.
could_not_fix() {
    case $1 in
        1) leave "gvtg-xml fix cannot fix all of it" ;;
        126 | 127) leave "$(command -v gvtg-xml) cannot be run (exit status $1). Install it as /usr/bin/gvtg-xml: libvirtd's AppArmor profile does not let hooks run programs in /usr/local" ;;
        *) leave "gvtg-xml fix failed (exit status $1)" ;;
    esac
}

# filter FLAG…: changes only what libvirt passes to QEMU, and only if the result has no findings. libvirt compares the rest with what the
# other host sent, and would refuse a VM that has lost a <video>, for example.
filter() {
    old=$(cat)
    command -v gvtg-xml >/dev/null 2>&1 || leave "gvtg-xml was not found in $PATH"
    new=$(printf '%s\n' "$old" | on_this_machine fix --only namespace,qemu "$@") || could_not_fix "$?"
    [ "$new" != "$old" ] || return 0
    case $new in
        *'</domain>') ;;
        *) leave "gvtg-xml printed an incomplete domain" ;;
    esac
    if ! found=$(printf '%s\n' "$new" | on_this_machine lint --format concise "$@"); then
        printf '%s\n' "$found" >&2
        leave "there are problems that the filter must not fix. List them with gvtg-xml lint, fix them with gvtg-xml fix"
    fi
    printf '%s\n' "$new"
}
