#!/bin/sh
# libvirt calls this as root: HOOK NAME OPERATION SUBOPERATION EXTRA. If it ends with another status than 0 at prepare, the VM does not
# start, and libvirt shows what stands on stderr; at reconnect the running VM would be killed. So all but prepare and release is none of
# its business. It must not call libvirt, which waits for it.
#
# A vGPU is there only while its VM runs: a host that is suspended while one exists may hang (seen since Linux 5.5).

GVT_PCI=0000:00:02.0

domain=${1-} operation=${2-} suboperation=${3-}
case $operation/$suboperation in
    prepare/begin | release/end) ;;
    *) exit 0 ;;
esac

# libvirt may read stdout as XML. Nothing that the caller has set decides what runs here.
exec >&2
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin LC_ALL=C
unset QUOTING_STYLE
umask 077

# A file for each vGPU that was made here: its name is the uuid, in it is the domain. /run is root's, and empty after a reboot.
made=/run/gvtg

complain() {
    printf 'gvtg: %s\n' "$1"
}

fail() {
    complain "$1"
    exit 1
}

# wait_for TEST FILE: five seconds at most, none as a rule.
wait_for() {
    for _ in 1 2 3 4 5; do
        test "$@" && return
        sleep 1
    done
    test "$@"
}

# read_line FILE: $line is its first line, or empty.
read_line() {
    line=
    if [ -r "$1" ]; then IFS= read -r line <"$1" || :; fi
}

# show_types FOLDER: the types of a GPU, and how many vGPUs of each can still be made.
show_types() {
    shown=
    for folder in "$1"/*/; do
        [ -d "$folder" ] || continue
        read_line "${folder}available_instances"
        folder=${folder%/}
        shown="$shown, ${folder##*/} ($line left)"
    done
    shown=${shown#, }
    echo "${shown:-none, as the aperture that the firmware gives it is too small}"
}

# is_in_use VGPU: whether a process has it open, by its group or, with iommufd, by its own name.
is_in_use() {
    group=$(cd -P "$1/iommu_group" 2>/dev/null && pwd)
    names=/dev/vfio/${group##*/}
    for device in "$1"/vfio-dev/*; do
        [ ! -d "$device" ] || names="$names|/dev/vfio/devices/${device##*/}"
    done
    # The first arrow is the link's: whoever names a file "x -> /dev/vfio/0" has no vGPU.
    # Where ls knows -q, a line break in a file's name begins no line that could be taken for a link.
    long=-l
    ! ls -dq / >/dev/null 2>&1 || long=-lq
    # shellcheck disable=SC2010 # Only ls says what links point to, on every system.
    ls "$long" /proc/[0-9]*/fd 2>/dev/null | grep -q -E "^[^>]* -> ($names)\$"
}

# create_gpu UUID TYPE PCI
create_gpu() {
    vgpu=/sys/bus/mdev/devices/$1 gpu=/sys/bus/pci/devices/$3 types=/sys/bus/pci/devices/$3/mdev_supported_types
    [ -d "$gpu" ] || fail "there is no PCI device $3: the GPU's address is in /sys/bus/pci/drivers/i915; write it into $0"
    if [ -d "$vgpu" ]; then
        use_gpu "$1" "$2"
        return
    fi
    if ! [ -d "$types" ]; then
        modprobe kvmgt || fail "the kernel module kvmgt can't be loaded"
        wait_for -d "$types" ||
            fail "the GPU $3 can't make vGPUs: $types is missing. It takes a GPU from Broadwell to Comet Lake and i915.enable_gvt=1 on the kernel's command line"
    fi
    [ -d "$types/$2" ] || fail "the GPU $3 does not have the vGPU type $2. It has: $(show_types "$types")"
    read_line "$types/$2/available_instances"
    [ "$line" != 0 ] || fail "the GPU $3 has no room for one more vGPU of type $2. It has: $(show_types "$types")"
    mkdir -p "$made"
    printf '%s\n' "$domain" >"$made/$1" || fail "can't write $made/$1"
    # What is there afterwards tells whether it worked: to a shell every refusal is an I/O error.
    { printf '%s\n' "$1" >"$types/$2/create"; } 2>/dev/null
    if ! wait_for -d "$vgpu"; then
        rm -f "$made/$1"
        fail "the kernel did not make the vGPU $1 of type $2 (dmesg may say why). The GPU $3 has: $(show_types "$types")"
    fi
}

# use_gpu UUID TYPE: a vGPU that is there already is as good, if it is nobody else's. Who made it removes it.
use_gpu() {
    type=$(cd -P "$vgpu/mdev_type" 2>/dev/null && pwd)
    type=${type##*/}
    [ "$type" = "$2" ] || fail "the vGPU $1 is there already, but its type is $type, not $2"
    read_line "$made/$1"
    [ -z "$line" ] || [ "$line" = "$domain" ] ||
        fail "the vGPU $1 belongs to the domain '$line', and each domain needs one of its own. If '$line' is off for certain: echo 1 > $vgpu/remove"
    ! is_in_use "$vgpu" || fail "the vGPU $1 is in use: a process has it open"
}

# remove_gpu UUID: if it was made here for this domain.
remove_gpu() {
    vgpu=/sys/bus/mdev/devices/$1
    read_line "$made/$1"
    [ "$line" = "$domain" ] || return 0
    if [ -d "$vgpu" ]; then
        # Newer kernels would take it from the process, and keep half of it.
        if is_in_use "$vgpu"; then
            complain "the vGPU $1 is not removed: a process still has it open"
            return
        fi
        { echo 1 >"$vgpu/remove"; } 2>/dev/null
        if ! wait_for ! -d "$vgpu"; then
            complain "the kernel did not remove the vGPU $1"
            return
        fi
    fi
    rm -f "$made/$1"
}

# setup_gpu NAME UUID TYPE [PCI]: the domain NAME has this vGPU. It may have several, a line for each.
setup_gpu() {
    [ "$operation" = prepare ] || return 0
    [ "$1" = "$domain" ] || return 0
    uuid=$(printf '%s' "$2" | tr A-F a-f)
    case $uuid in
        *[!0-9a-f-]*) fail "'$2' is no uuid" ;;
        ????????-????-????-????-????????????) ;;
        *) fail "'$2' is no uuid of 36 characters" ;;
    esac
    case ${3-} in
        '' | .* | */*) fail "'${3-}' is no vGPU type" ;;
    esac
    create_gpu "$uuid" "$3" "${4:-$GVT_PCI}"
}

# What was made for this domain goes, whatever the lines below say by now.
if [ "$operation" = release ]; then
    for record in "$made"/*; do
        [ ! -f "$record" ] || remove_gpu "${record##*/}"
    done
fi
