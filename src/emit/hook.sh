#!/bin/sh
# libvirt calls this as root: HOOK NAME OPERATION SUBOPERATION EXTRA. If it ends with another status than 0 at prepare, the VM does not
# start, and libvirt shows what stands on stderr; at reconnect the running VM would be killed. So all but prepare and release is none of
# its business. It must not call libvirt, which waits for it.
#
# A vGPU is there only while its VM runs: a host that is suspended while one exists may hang (seen since Linux 5.5).

GVT_PCI=0000:00:02.0

# The VM's XML, once it is read from stdin, and the uuids of the vGPUs in it, each between blanks.
xml='' wanted='' is_read=''

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

# read_xml: reads the VM's XML, which libvirt writes to stdin, into $xml and $wanted.
read_xml() {
    [ -z "$is_read" ] || return 0
    is_read=yes
    if [ -t 0 ]; then
        complain "there is no XML on stdin, so no vGPU is created: pipe in what virsh dumpxml prints for this VM"
        return
    fi
    # Where stdin is closed, the pipe of $(…) would take its place, and cat would wait for itself.
    [ -e /proc/self/fd/0 ] || exec </dev/null
    xml=$(cat)
    case $xml in
        *'<'*) ;;
        *) [ "$operation" != prepare ] || complain "no XML arrived on stdin, so no vGPU is created: the script that calls this one has to pass its own stdin on, where libvirt writes the VM's XML" ;;
    esac
    wanted=$(find_uuids)
    case $wanted in
        *unclosed*) wanted=$(find_uuids everywhere) ;;
    esac
    wanted=" $(printf '%s\n' "$wanted" | tr 'A-F\n' 'a-f ') "
}

# find_uuids [everywhere]: prints the uuids of the vGPUs in $xml, a line each, without hyphens. One in a comment or in <metadata> may
# belong to a device that was removed, so these are skipped, unless "everywhere" is given. "unclosed" is printed where one of them never ends.
find_uuids() {
    # There is one line for each piece of markup, without its "<"; "n" reads the next one. The hold space has an "m" for each <metadata>
    # that is open. The last line is none of the XML's, and shows what is open at its end.
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

# is_wanted UUID: whether the VM has this vGPU. The VM's name is not enough: an older XML without the vGPU may have been restored, and that
# VM must start. A malformed uuid is an error only in a VM that has a vGPU.
is_wanted() {
    read_xml
    if is_uuid "$1"; then
        case $wanted in *" $(printf '%s' "$1" | tr -d -) "*) return 0 ;; esac
        return 1
    fi
    case $wanted in *[0-9a-f]*) return 0 ;; esac
    return 1
}

# Output of stat for an open file: its type, its device number, its inode and its path.
look='%F %t:%T|%d:%i|%n'

# looks_of NODE…: the part of that output that identifies these devices. For a device it is the number, which a user cannot forge: QEMU may
# have it open through a node of its own, since libvirt makes a /dev for it. For a plain file, on an emulated machine, it is the inode.
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

# look_at_named: the same output for the open files whose path is that of a vGPU's node, with one stat for each process.
look_at_named() {
    folder='' files=''
    # shellcheck disable=SC2012 # Only ls says what links point to, on every system.
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
                        # shellcheck disable=SC2086 # These are words.
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

# is_open LOOK: whether the file with this output of stat is open to be used. Any user can have a path alone open (O_PATH), of whatever file;
# stat shows the same for that.
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
        # It was closed meanwhile, or nothing tells.
        '') [ -e "$info" ] ;;
        *[1357]???????) return 1 ;;
        # Where the kernel says the inode (since 5.14), it is still the same file.
        *) [ "${found:-$inode}" = "$inode" ] ;;
    esac
}

# bounded COMMAND…: prints what it prints within three seconds, and fails if it did not end by then or could not be run. It is not waited
# for: nothing ends a process that waits for a FUSE server which has read its request and never answers.
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

# is_in_use VGPU: whether a process has it open, through its group or, with iommufd, through its own device. A link's text is not enough:
# any user can have a file open whose path reads /dev/vfio/0.
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
        # Without an answer from stat a vGPU counts as in use.
        for device in "$@"; do [ ! -e "$device" ] || return 0; done
        return 1
    fi
    # stat waits for a file system that does not answer: a dead NFS server, or FUSE, where any user may be the server. A device always
    # answers at once. So if stat does not end for all open files, only those with the path of a vGPU are looked at, and a process whose
    # files do not answer counts as having none.
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
    is_wanted "$uuid" || return 0
    is_uuid "$uuid" || fail "'$2' is not a uuid of 36 characters"
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
