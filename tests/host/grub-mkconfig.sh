#!/bin/sh
# grub-mkconfig.sh: prints GRUB's menu for a host with ./gvtg.cfg and one kernel. Runs in a separate mount namespace.
set -eu
mount -t tmpfs boot /boot
mkdir /boot/grub
echo kernel >/boot/vmlinuz-6.1.0-1-amd64
echo CONFIG_X=y >/boot/config-6.1.0-1-amd64
# Simulates a disk.
cat >grub-probe <<'END'
#!/bin/sh
case $* in
    *target=device*) echo /dev/vda1 ;;
    *target=fs_uuid*) echo 11111111-2222-4333-8444-555555555555 ;;
    *target=fs*) echo ext2 ;;
    *target=partmap*) echo msdos ;;
esac
END
chmod +x grub-probe
mount --bind grub-probe "$(command -v grub-probe)"
mkdir -p default/grub.d
printf '%s\n' 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' 'GRUB_CMDLINE_LINUX="net.ifnames=0"' >default/grub
cp gvtg.cfg default/grub.d
mount --bind default /etc/default
grub-mkconfig
