#
# Debian's and Ubuntu's grub-mkconfig read this file by themselves. Elsewhere the last line of /etc/default/grub has to be
#     . /etc/default/grub.d/gvtg.cfg
# What stands in /etc/default/grub stays. Sourced twice, nothing is there twice.

# gvtg_add NAME VALUE...: adds NAME=VALUE, unless the last NAME that is there has one of the values: that is the one that counts.
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
