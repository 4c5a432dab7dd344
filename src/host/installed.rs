//! The releases of libvirt and QEMU on a machine, read from file names, because starting a program
//! would cost more than all the rest.

use super::Root;
use crate::domain::property_syntax_for;
use crate::version::Version;

/// Where distributions put the library.
const FOLDERS: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/local/lib64",
    "/usr/local/lib",
    "/lib64",
];

/// libvirt's virsh among the programs of NixOS: a link into the store, whose folder names the
/// release.
const VIRSH: &str = "/run/current-system/sw/bin/virsh";

/// QEMU on NixOS, as domains name it.
const EMULATOR: &str = "/run/libvirt/nix-emulators/qemu-system-x86_64";

/// The warning that this machine's libvirt does not read the form that is written for another
/// release; None if it does, and on a machine without libvirt.
pub fn form_warning(root: &Root, written_for: Version) -> Option<String> {
    let installed = libvirt(root)
        .filter(|installed| property_syntax_for(*installed) != property_syntax_for(written_for))?;
    Some(format!(
        "libvirt {installed} on this machine needs a different XML syntax: use --libvirt {installed}"
    ))
}

/// The release that `libvirt.so.0` links to, or that virsh belongs to; None without one.
pub fn libvirt(root: &Root) -> Option<Version> {
    let by_library = FOLDERS.iter().find_map(|folder| {
        Version::of_library(&root.link(&format!("{folder}/libvirt.so.0")).present()?)
    });
    by_library.or_else(|| store_version(root, VIRSH, "libvirt")?.parse().ok())
}

/// Whether a machine has libvirt, whatever its release.
pub fn has_libvirt(root: &Root) -> bool {
    libvirt(root).is_some() || root.has(VIRSH)
}

/// The version of QEMU on NixOS, and the link that tells it.
pub fn qemu_of_nixos(root: &Root) -> Option<(String, String)> {
    let paths = [EMULATOR, "/run/current-system/sw/bin/qemu-system-x86_64"];
    paths.iter().find_map(|path| Some((store_version(root, path, "qemu")?, (*path).to_owned())))
}

/// The version in the path in Nix's store that a link leads to: 10.0.0 in
/// `/nix/store/HASH-libvirt-10.0.0/bin/virsh`.
fn store_version(root: &Root, link: &str, name: &str) -> Option<String> {
    let target = root.target(link).present()?;
    let package = target.to_str()?.strip_prefix("/nix/store/")?.split('/').next()?;
    let (_, rest) = package.split_once(&format!("-{name}-"))?;
    let version = rest.rsplit('-').find(|part| part.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn versions_are_read_from_the_nix_store() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        assert!(!has_libvirt(&root));
        for (path, package) in [
            (VIRSH, "abc-libvirt-10.0.0/bin/virsh"),
            (EMULATOR, "abc-qemu-host-cpu-only-9.1.2/bin/qemu-system-x86_64"),
        ] {
            let path = folder.path().join(&path[1..]);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(format!("/nix/store/{package}"), path).unwrap();
        }
        assert_eq!(libvirt(&root).map(|version| version.to_string()).as_deref(), Some("10.0.0"));
        assert_eq!(qemu_of_nixos(&root), Some(("9.1.2".to_owned(), EMULATOR.to_owned())));
    }

    #[test]
    fn a_form_that_the_machine_does_not_read_is_warned_of() {
        let warning = |library: &str, written_for: &str| {
            let folder = tempfile::tempdir().unwrap();
            let place = folder.path().join("usr/lib64");
            std::fs::create_dir_all(&place).unwrap();
            std::os::unix::fs::symlink(library, place.join("libvirt.so.0")).unwrap();
            form_warning(&Root::new(folder.path()), written_for.parse().unwrap())
        };
        let said =
            "libvirt 7.0.0 on this machine needs a different XML syntax: use --libvirt 7.0.0";
        assert_eq!(warning("libvirt.so.0.7000.0", "newest").as_deref(), Some(said));
        assert_eq!(warning("libvirt.so.0.7000.0", "7.8"), None, "the same form");
        assert!(warning("libvirt.so.0.8001.0", "7.0").is_some(), "8.1 wants a capability deleted");
        assert_eq!(warning("libvirt.so.0.9000.0", "newest"), None);
        assert_eq!(warning("nothing", "newest"), None);
    }
}
