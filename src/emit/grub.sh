#
# On Debian and Ubuntu, grub-mkconfig reads this file by itself. On other systems, add this as the last line of /etc/default/grub:
#     . /etc/default/grub.d/gvtg.cfg
# This file only adds parameters to those in /etc/default/grub. If it is read twice, each parameter is still added only once.

# gvtg_add NAME VALUE...: adds NAME=VALUE (the first value), unless NAME is already set to one of the values. The last setting takes effect.
gvtg_add() {
    gvtg_name=$1 gvtg_word=$1=$2
    shift
    gvtg_line=" ${GRUB_CMDLINE_LINUX-} ${GRUB_CMDLINE_LINUX_DEFAULT-} "
    gvtg_last=${gvtg_line##*" $gvtg_name="}
    for gvtg_value; do
        case $gvtg_last in
            "$gvtg_value "*) return ;;
        esac
    done
    GRUB_CMDLINE_LINUX_DEFAULT="${GRUB_CMDLINE_LINUX_DEFAULT:+$GRUB_CMDLINE_LINUX_DEFAULT }$gvtg_word"
}
