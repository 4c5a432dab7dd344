//! The versions of the installed libvirt and QEMU, taken from file names: running a program would
//! take longer than all other checks together.

use super::Root;
use crate::domain::property_syntax_for;
use crate::version::Version;

/// The folders in which distributions install the library.
const LIBRARY_FOLDERS: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/local/lib64",
    "/usr/local/lib",
    "/lib64",
];

/// virsh on NixOS: a link to a package in the Nix store, whose name contains the version.
const VIRSH: &str = "/run/current-system/sw/bin/virsh";

/// QEMU on NixOS, at the path used in domains.
const EMULATOR: &str = "/run/libvirt/nix-emulators/qemu-system-x86_64";

/// Returns a warning if this machine's libvirt does not understand the XML syntax for
/// `written_for`; `None` if it does, and on a machine without libvirt.
pub fn form_warning(root: &Root, written_for: Version) -> Option<String> {
    let installed = libvirt(root)
        .filter(|installed| property_syntax_for(*installed) != property_syntax_for(written_for))?;
    Some(format!(
        "libvirt {installed} on this machine needs a different XML syntax: use --libvirt {installed}"
    ))
}

/// Returns libvirt's version, from the target of the link `libvirt.so.0` or the package of virsh;
/// `None` if neither contains it.
pub fn libvirt(root: &Root) -> Option<Version> {
    let by_library = LIBRARY_FOLDERS.iter().find_map(|folder| {
        Version::of_library(&root.link(&format!("{folder}/libvirt.so.0")).present()?)
    });
    by_library.or_else(|| store_version(root, VIRSH, "libvirt")?.parse().ok())
}

/// Whether libvirt is installed, even if its version is unknown.
pub fn has_libvirt(root: &Root) -> bool {
    libvirt(root).is_some() || root.has(VIRSH)
}

/// Returns QEMU's version on NixOS, and the link that contains it.
pub fn qemu_of_nixos(root: &Root) -> Option<(String, String)> {
    let paths = [EMULATOR, "/run/current-system/sw/bin/qemu-system-x86_64"];
    paths.iter().find_map(|path| Some((store_version(root, path, "qemu")?, (*path).to_owned())))
}

/// Extracts the version from the Nix store path that a link points to: 10.0.0 from
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
    fn reads_versions_from_the_nix_store() {
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
    fn warns_of_syntax_for_another_version() {
        let warning = |library: &str, written_for: &str| {
            let folder = tempfile::tempdir().unwrap();
            let place = folder.path().join("usr/lib64");
            std::fs::create_dir_all(&place).unwrap();
            std::os::unix::fs::symlink(library, place.join("libvirt.so.0")).unwrap();
            form_warning(&Root::new(folder.path()), written_for.parse().unwrap())
        };
        let expected =
            "libvirt 7.0.0 on this machine needs a different XML syntax: use --libvirt 7.0.0";
        assert_eq!(warning("libvirt.so.0.7000.0", "newest").as_deref(), Some(expected));
        assert_eq!(warning("libvirt.so.0.7000.0", "7.8"), None, "the same form");
        assert!(warning("libvirt.so.0.8001.0", "7.0").is_some(), "8.1 wants a capability deleted");
        assert_eq!(warning("libvirt.so.0.9000.0", "newest"), None);
        assert_eq!(warning("nothing", "newest"), None);
    }
}
