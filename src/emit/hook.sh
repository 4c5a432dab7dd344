#!/bin/sh
# libvirt runs this script as root, as HOOK NAME OPERATION SUBOPERATION EXTRA. If it fails at prepare, the VM does not start and libvirt
# shows what it wrote to stderr; if it failed at reconnect, libvirt would kill the running VM. So it only acts at prepare and release, and
# ignores every other operation. It must not call libvirt: libvirt waits for this script to end, so both would hang.
#
# A vGPU exists only while its VM runs: a host that is suspended while a vGPU exists may hang (seen since Linux 5.5).

GVT_PCI=0000:00:02.0

# The VM's XML, once it has been read from stdin, and the UUIDs of the vGPUs in it, each with a space on both sides.
xml='' wanted='' is_read=''

domain=${1-} operation=${2-} suboperation=${3-}
case $operation/$suboperation in
    prepare/begin | release/end) ;;
    *) exit 0 ;;
esac

# libvirt may read stdout as XML, so all output goes to stderr. The caller's environment must not influence which programs run here.
exec >&2
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin LC_ALL=C
unset QUOTING_STYLE
umask 077

# Contains a file for each vGPU that this hook created, named after the UUID; the file contains the VM's name. Only root can write to
# /run, and it is empty after a reboot.
made=/run/gvtg

complain() {
    printf 'gvtg: %s\n' "$1"
}

fail() {
    complain "$1"
    exit 1
}

# wait_for TEST FILE: waits until the test succeeds, at most five seconds. Usually it succeeds at once.
wait_for() {
    for _ in 1 2 3 4 5; do
        test "$@" && return
        sleep 1
    done
    test "$@"
}

# read_line FILE: sets $line to the first line of the file, or to nothing.
read_line() {
    line=
    if [ -r "$1" ]; then IFS= read -r line <"$1" || :; fi
}

# show_types FOLDER: prints the vGPU types of a GPU, and how many vGPUs of each type can still be created.
show_types() {
    shown=
    for folder in "$1"/*/; do
        [ -d "$folder" ] || continue
        read_line "${folder}available_instances"
        folder=${folder%/}
        shown="$shown, ${folder##*/} ($line left)"
    done
    shown=${shown#, }
    echo "${shown:-none, because the aperture set in the firmware is too small}"
}

# read_xml: reads the VM's XML from stdin, where libvirt writes it, and sets $xml and $wanted.
read_xml() {
    [ -z "$is_read" ] || return 0
    is_read=yes
    if [ -t 0 ]; then
        complain "there is no XML on stdin, so no vGPU is created: pipe in the output of virsh dumpxml for this VM"
        return
    fi
    # If stdin is closed, the pipe of $(…) would become stdin, and cat would wait for itself.
    [ -e /proc/self/fd/0 ] || exec </dev/null
    xml=$(cat)
    case $xml in
        *'<'*) ;;
        *) [ "$operation" != prepare ] || complain "no XML arrived on stdin, so no vGPU is created: the script that calls this hook must pass on its own stdin, where libvirt writes the VM's XML" ;;
    esac
    wanted=$(find_uuids)
    case $wanted in
        *unclosed*) wanted=$(find_uuids everywhere) ;;
    esac
    wanted=" $(printf '%s\n' "$wanted" | tr 'A-F\n' 'a-f ') "
}

# find_uuids [everywhere]: prints the UUIDs of the vGPUs in $xml, one per line, without hyphens. UUIDs in comments and in <metadata> may
# belong to devices that were removed: they are skipped unless "everywhere" is given. Prints "unclosed" if a comment or the like never ends.
find_uuids() {
    # sed reads one line for each piece of markup, without its "<"; "n" reads the next line. The hold space contains an "m" for each open
    # <metadata>. The last line is not part of the XML; it shows what is still open at the end.
    # shellcheck disable=SC2016 # The $ is sed's.
    skip='
        /^!--/{
            s/^!--//
            :comment
            /-->/d
            $s/.*/unclosed/p
            n
            b comment
        }
        /^!\[CDATA\[/{
            :text
            /]]>/d
            $s/.*/unclosed/p
            n
            b text
        }
        /^\?/{
            :instruction
            /\?>/d
            $s/.*/unclosed/p
            n
            b instruction
        }
        /^\/([^ >:]*:)?metadata[ >]/{
            x
            s/m//
            x
        }
        /^([^ \/>:]*:)?metadata[ >]/{
            /^[^"'\''>]*("[^"]*"[^"'\''>]*|'\''[^'\'']*'\''[^"'\''>]*)*\/>/!{
                x
                s/^/m/
                x
            }
        }
        x
        /m/{
            $s/.*/unclosed/p
            x
            d
        }
        x'
    [ -z "${1-}" ] || skip=''
    printf '%s</>\n' "$xml" | tr '\n\t\r<' '   \n' | sed -n -E -e "$skip" \
        -e "s/^([^ \\/>:]*:)?address (.* )?uuid *= *[\"']([0-9A-Fa-f -]*)[\"'].*/\\3/p" \
        -e '/^([^ \/>:]*:)?(arg|property) .*sysfsdev/s/.*\/([0-9A-Fa-f-]{36})([^0-9A-Fa-f-].*)?$/\1/p' |
        tr -d ' -'
}

# is_uuid TEXT
is_uuid() {
    case $1 in
        *[!0-9a-f-]*) return 1 ;;
        ????????-????-????-????-????????????) ;;
        *) return 1 ;;
    esac
}

# is_wanted UUID: succeeds if the VM's XML contains this vGPU. The VM's name is not enough: an older XML without the vGPU may have been
# restored, and that VM must start. A malformed UUID is an error only for a VM that has a vGPU.
is_wanted() {
    read_xml
    if is_uuid "$1"; then
        case $wanted in *" $(printf '%s' "$1" | tr -d -) "*) return 0 ;; esac
        return 1
    fi
    case $wanted in *[0-9a-f]*) return 0 ;; esac
    return 1
}

# The format in which stat prints an open file: type, device number, inode, path.
look='%F %t:%T|%d:%i|%n'

# looks_of NODE…: prints the part of that output that identifies these devices. For a device that is its number, which users cannot forge;
# the path is not enough, because QEMU may open the device through a different node: libvirt gives it a /dev of its own. For a plain file
# (on an emulated machine) it is the inode.
looks_of() {
    for node in "$@"; do
        own=$(stat -L -c "$look" "$node" 2>/dev/null)
        case $own in
            'character special file '*) printf '%s|\n' "${own%%|*}" ;;
            ?*)
                own=${own#*|}
                printf '|%s|\n' "${own%%|*}"
                ;;
        esac
    done
}

# look_at_named: prints the same output, but only for open files whose path looks like a vGPU's node, with one stat per process.
look_at_named() {
    folder='' files=''
    # shellcheck disable=SC2012 # On every system, only ls shows where links point.
    {
        ls -l /proc/[0-9]*/fd 2>/dev/null |
            sed -n -e 's/ (deleted)$//' -e 's/^\(\/proc\/[0-9]*\/fd\):$/\1/p' \
                -e 's/^[^>]* \([0-9]*\) -> .*\/vfio\/[0-9]*$/\1/p' -e 's/^[^>]* \([0-9]*\) -> .*\/vfio\/devices\/vfio[0-9]*$/\1/p'
        echo /
    } | {
        while IFS= read -r word; do
            case $word in
                /*)
                    if [ -n "$files" ]; then
                        # shellcheck disable=SC2086 # This is a list of words.
                        timeout 1 stat -L -c "$look" $files 2>/dev/null &
                    fi
                    folder=$word files=''
                    ;;
                *) files="$files $folder/$word" ;;
            esac
        done
        wait
    }
}

# is_open LOOK: succeeds if the file with this stat output is really open. Any user can open just the path of any file (O_PATH), and stat
# prints the same for that.
is_open() {
    info=${1##*|} inode=${1%|*} flags='' found=''
    inode=${inode##*:} info=${info%/fd/*}/fdinfo/${info##*/}
    {
        while read -r key value; do
            case $key in
                flags:) flags=$value ;;
                ino:) found=$value ;;
            esac
        done <"$info"
    } 2>/dev/null
    case $flags in
        # It has been closed in the meantime, or its state is unknown.
        '') [ -e "$info" ] ;;
        *[1357]???????) return 1 ;;
        # If the kernel reports the inode (since 5.14), check that it is still the same file.
        *) [ "${found:-$inode}" = "$inode" ] ;;
    esac
}

# bounded COMMAND…: prints what the command prints within three seconds; fails if it has not ended by then or could not be run. It does not
# wait for the command: a process that waits for a FUSE server which took its request and never answers cannot be killed.
bounded() {
    answer=/run/gvtg-answer.$$
    rm -f "$answer" "$answer.end"
    {
        "$@" >"$answer"
        echo "$?" >"$answer.end"
    } </dev/null >/dev/null 2>&1 &
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        [ ! -s "$answer.end" ] || break
        sleep 0.1 2>/dev/null || sleep 1
    done
    read_line "$answer.end"
    cat "$answer" 2>/dev/null
    rm -f "$answer" "$answer.end"
    [ -n "$line" ] && [ "$line" -lt 124 ]
}

# is_in_use VGPU: succeeds if a process has the vGPU open, through its IOMMU group or, with iommufd, through its own device. The path of an
# open file proves nothing: any user can open a file whose path reads /dev/vfio/0.
is_in_use() {
    group=$(cd -P "$1/iommu_group" 2>/dev/null && pwd)
    set -- "/dev/vfio/${group##*/}" "$1"/vfio-dev/*
    [ -n "$group" ] || shift
    for device in "$@"; do
        shift
        case $device in
            */vfio-dev/*) device=/dev/vfio/devices/${device##*/} ;;
        esac
        set -- "$@" "$device"
    done
    looks=$(looks_of "$@")
    if [ -z "$looks" ]; then
        # If stat cannot tell, assume that the vGPU is in use.
        for device in "$@"; do [ ! -e "$device" ] || return 0; done
        return 1
    fi
    # stat hangs on a file system that does not answer, such as a dead NFS server or FUSE, where any user can be the server. Devices always
    # answer at once. So if stat does not finish for all open files, only those whose path looks like a vGPU's node are checked, and a
    # process whose files do not answer is assumed to have none open.
    timeout 1 true 2>/dev/null || timeout() {
        shift
        "$@"
    }
    open=$(bounded stat -L -c "$look" /proc/[0-9]*/fd/*) || open=$(bounded look_at_named)
    printf '%s\n' "$open" | grep -F -e "$looks" | (
        while IFS= read -r candidate; do
            ! is_open "$candidate" || exit 0
        done
        exit 1
    )
}

# create_gpu UUID TYPE PCI
create_gpu() {
    vgpu=/sys/bus/mdev/devices/$1 gpu=/sys/bus/pci/devices/$3 types=/sys/bus/pci/devices/$3/mdev_supported_types
    [ -d "$gpu" ] || fail "there is no PCI device $3: look up the GPU's address in /sys/bus/pci/drivers/i915 and write it into $0"
    if [ -d "$vgpu" ]; then
        use_gpu "$1" "$2"
        return
    fi
    if ! [ -d "$types" ]; then
        modprobe kvmgt || fail "the kernel module kvmgt cannot be loaded"
        wait_for -d "$types" ||
            fail "the GPU $3 offers no vGPUs: $types is missing. GVT-g needs a GPU from Broadwell to Comet Lake, and i915.enable_gvt=1 on the kernel command line"
    fi
    [ -d "$types/$2" ] || fail "the GPU $3 does not offer the vGPU type $2. It offers: $(show_types "$types")"
    read_line "$types/$2/available_instances"
    [ "$line" != 0 ] || fail "the GPU $3 has no room for another vGPU of type $2. It offers: $(show_types "$types")"
    mkdir -p "$made"
    printf '%s\n' "$domain" >"$made/$1" || fail "cannot write $made/$1"
    # Whether it worked shows in whether the vGPU exists afterwards: the shell reports every refusal as an I/O error.
    { printf '%s\n' "$1" >"$types/$2/create"; } 2>/dev/null
    if ! wait_for -d "$vgpu"; then
        rm -f "$made/$1"
        fail "the kernel did not create the vGPU $1 of type $2 (dmesg may say why). The GPU $3 offers: $(show_types "$types")"
    fi
}

# use_gpu UUID TYPE: uses a vGPU that already exists, unless it belongs to another VM. The hook does not remove a vGPU that it did not create.
use_gpu() {
    type=$(cd -P "$vgpu/mdev_type" 2>/dev/null && pwd)
    type=${type##*/}
    [ "$type" = "$2" ] || fail "the vGPU $1 already exists, but its type is $type, not $2"
    read_line "$made/$1"
    [ -z "$line" ] || [ "$line" = "$domain" ] ||
        fail "the vGPU $1 belongs to the VM '$line', and each VM needs its own vGPU. If you are sure that '$line' is off: echo 1 | sudo tee $vgpu/remove"
    ! is_in_use "$vgpu" || fail "the vGPU $1 is in use: a process has it open"
}

# remove_gpu UUID: removes the vGPU if this hook created it for this VM.
remove_gpu() {
    vgpu=/sys/bus/mdev/devices/$1
    read_line "$made/$1"
    [ "$line" = "$domain" ] || return 0
    if [ -d "$vgpu" ]; then
        # Newer kernels would take it away from the process and leave it half removed.
        if is_in_use "$vgpu"; then
            complain "the vGPU $1 was not removed: a process still has it open"
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

# setup_gpu NAME UUID TYPE [PCI]: the VM NAME gets this vGPU, on the GPU with this PCI address. A VM can have several, one line for each.
setup_gpu() {
    [ "$operation" = prepare ] || return 0
    [ "$1" = "$domain" ] || return 0
    uuid=$(printf '%s' "$2" | tr A-F a-f)
    is_wanted "$uuid" || return 0
    is_uuid "$uuid" || fail "'$2' is not a UUID of 36 characters"
    case ${3-} in
        '' | .* | */*) fail "'${3-}' is not a vGPU type" ;;
    esac
    create_gpu "$uuid" "$3" "${4:-$GVT_PCI}"
}

# When a VM stops, remove every vGPU that this hook created for it, even if its line below has since been changed or removed.
if [ "$operation" = release ]; then
    for record in "$made"/*; do
        [ ! -f "$record" ] || remove_gpu "${record##*/}"
    done
fi
