#!/bin/sh
# Makes a machine with an emulated GPU out of the mount and process namespaces that it runs in, and keeps it until stdin ends.
#
#     unshare --mount --pid --kill-child --mount-proc tests/mdev/machine.sh FOLDER MDEV-SYSFS [OPTION]…
#
# FOLDER is where the machine is watched and steered from outside: `log` has its creates and removes, `modprobe.log` and `pkexec.log`
# what those were asked for. pkexec does nothing else. kvmgt is loaded where there is a file `kvmgt`; modprobe makes that, once there is a file `modprobe-works`.
# "ready" on stdout says that all is there.
set -eu

folder=$1
program=$2
shift 2

# A /dev of its own, as the real one is shared by all namespaces.
mkdir "$folder/dev"
mount -t tmpfs -o mode=755 dev "$folder/dev"
for node in full fuse null random tty urandom zero; do
    : >"$folder/dev/$node"
    mount --bind "/dev/$node" "$folder/dev/$node"
done
ln -s /proc/self/fd "$folder/dev/fd"
mkdir "$folder/dev/vfio"
: >"$folder/dev/vfio/vfio"
mount --move "$folder/dev" /dev

mount -t tmpfs -o mode=755 run /run
if [ ! -d /sys/bus ]; then
    mount -t tmpfs -o mode=755 sys /sys
    mkdir /sys/bus
fi

# stand_in NAME: puts the script on stdin in the place of a program, or where the hook looks last.
stand_in() {
    cat >"$folder/$1"
    chmod 755 "$folder/$1"
    place=$(command -v "$1" || :)
    if [ -z "$place" ]; then
        place=/run/current-system/sw/bin/$1
        mkdir -p "${place%/*}"
        : >"$place"
    fi
    mount --bind "$folder/$1" "$place"
}
stand_in modprobe <<MODPROBE
#!/bin/sh
echo "\$*" >>'$folder/modprobe.log'
if [ ! -e '$folder/modprobe-works' ]; then
    echo "modprobe: FATAL: Module kvmgt not found in directory /lib/modules/6.1.0" >&2
    exit 1
fi
: >'$folder/kvmgt'
MODPROBE
stand_in pkexec <<PKEXEC
#!/bin/sh
printf '%s\n' "\$@" >>'$folder/pkexec.log'
PKEXEC
# Users may ask for pkexec.
: >"$folder/pkexec.log"
chmod 666 "$folder/pkexec.log"
chmod 755 "$folder"

"$program" /sys/bus --kvmgt "$folder/kvmgt" --log "$folder/log" --vfio /dev/vfio "$@" &
until mountpoint -q /sys/bus; do
    kill -0 "$!"
    sleep 0.01
done
echo ready
cat >/dev/null
