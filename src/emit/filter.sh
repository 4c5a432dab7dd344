#!/bin/sh
# libvirt calls this as root: HOOK NAME OPERATION SUBOPERATION EXTRA, with the VM's XML on stdin. At migrate it takes what stands on stdout
# in its place; nothing there leaves the VM as it is. With another status than 0 the VM would not come, so this always ends with 0.
#
# A vGPU moves in a VM that is shut off, and in no other: virsh migrate --offline. At restore there is a state beside the XML, which what
# QEMU gets must fit, and no vGPU of GVT-g has one: so all but migrate is none of its business.

domain=${1-} operation=${2-} suboperation=${3-}
case $operation/$suboperation in
    migrate/begin) ;;
    *) exit 0 ;;
esac

# Nothing that the caller has set decides what runs here. /usr/local is last: AppArmor's profile of libvirtd forbids programs in it, and bash
# tries no other once it has found one.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/run/current-system/sw/bin LC_ALL=C
unset DISPLAY

# leave WHY: the VM comes as it is. libvirt shows nobody what a hook has said that ends with 0, so it is said to the system's log too.
leave() {
    said="the VM '$domain' comes as it is: $1"
    printf 'gvtg-xml: %s\n' "$said" >&2
    ! command -v logger >/dev/null 2>&1 || logger -t gvtg-xml -p daemon.warning -- "$said" >/dev/null 2>&1 || :
    exit 0
}

# on_this_machine COMMAND FLAG…: leaves alone what has no sign of GVT-g, and the vGPU of which nothing says that it is Intel's.
on_this_machine() {
    command=$1
    shift
    gvtg-xml "$command" --quiet --isolated --skip-foreign "--stdin-filename=$domain" "$@"
}

# could_not_fix STATUS: leaves the VM as it is, and says why. 126 and 127 come from the shell: the program never ran.
could_not_fix() {
    case $1 in
        1) leave "gvtg-xml fix does not fix all of it" ;;
        126 | 127) leave "$(command -v gvtg-xml) can't be run (exit status $1). Install it as /usr/bin/gvtg-xml: libvirtd's AppArmor profile does not let hooks run programs in /usr/local" ;;
        *) leave "gvtg-xml fix failed (exit status $1)" ;;
    esac
}

# filter FLAG…: changes what QEMU is given and nothing else, and only where nothing is wrong then. libvirt holds the rest against what the
# other machine has sent, and would refuse a VM that has lost a <video>.
filter() {
    old=$(cat)
    command -v gvtg-xml >/dev/null 2>&1 || leave "there is no gvtg-xml in $PATH"
    new=$(printf '%s\n' "$old" | on_this_machine fix --only namespace,qemu "$@") || could_not_fix "$?"
    [ "$new" != "$old" ] || return 0
    case $new in
        *'</domain>') ;;
        *) leave "gvtg-xml printed no whole domain" ;;
    esac
    if ! found=$(printf '%s\n' "$new" | on_this_machine lint --format concise "$@"); then
        printf '%s\n' "$found" >&2
        leave "something is left that the filter may not change: gvtg-xml lint says what, gvtg-xml fix what can be done here"
    fi
    printf '%s\n' "$new"
}
