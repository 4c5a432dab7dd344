//! Makes a property reach the vGPU. A form that already delivers the property is kept; only what is
//! missing is written, in the form that the target libvirt supports.

use super::{Change, assign_alias};
use crate::domain::{Argument, Domain, PropertySource, PropertySyntax};
use crate::qemu::property::{self, PropertyType, type_of};
use crate::qemu::{OptionList, Syntax};

/// Returns the changes that make a property reach the vGPU with this value (`true`/`false` for a
/// bool); none if it already does.
pub fn deliver<'d>(domain: &Domain<'d>, name: &str, value: &str) -> Vec<Change<'d>> {
    let kind = type_of(name).unwrap_or(PropertyType::String);
    if let Some(delivered) = domain.effective_property(name) {
        if delivered.value == value {
            return Vec::new();
        }
        match delivered.source {
            PropertySource::Override(property) => {
                return vec![
                    Change::SetAttribute(property.element, "type".into(), kind.name().into()),
                    Change::SetAttribute(property.element, "value".into(), value.into()),
                ];
            }
            PropertySource::Set(set) => {
                return vec![Change::SetValue(set, property::to_set(kind.name(), value))];
            }
            PropertySource::Device(argument) => return device_change(argument, name, value),
            PropertySource::Global(_) | PropertySource::Attribute(_) | PropertySource::Libvirt => {}
        }
    }
    if let Some(argument) = domain.raw_argument() {
        return device_change(argument, name, value);
    }
    if (name, value) == ("display", "on") && domain.is_shown_by_graphics() {
        return domain
            .vgpu
            .map(|vgpu| Change::SetAttribute(vgpu, "display".into(), "on".into()))
            .into_iter()
            .collect();
    }
    let form = domain.property_syntax();
    // libvirt has an attribute for these, which also selects the driver. An attribute that exists
    // must be right even if libvirt does not support overrides.
    let has_attribute = || {
        form == PropertySyntax::Override
            || domain.vgpu.is_some_and(|vgpu| vgpu.attribute("ramfb").is_some())
    };
    if matches!((name, value), ("ramfb", "true") | ("driver", "vfio-pci-nohotplug"))
        && has_attribute()
    {
        return domain
            .vgpu
            .map(|vgpu| Change::SetAttribute(vgpu, "ramfb".into(), "on".into()))
            .into_iter()
            .collect();
    }
    let alias = domain.vgpu_alias().to_owned();
    let mut changes = assign_alias(domain);
    match form {
        PropertySyntax::Override => changes.push(Change::Override {
            alias,
            property: name.into(),
            kind,
            value: value.into(),
        }),
        PropertySyntax::Set(capability) => {
            changes.push(Change::Set {
                alias,
                property: name.into(),
                value: property::to_set(kind.name(), value),
            });
            changes.extend(capability.map(|name| Change::DeleteCapability(name.into())));
        }
    }
    changes
}

/// Returns the change that sets a property in an argument of `-device`; none if QEMU cannot parse
/// the argument.
fn device_change<'d>(argument: Argument<'d>, name: &str, value: &str) -> Vec<Change<'d>> {
    let is_readable = OptionList::parse(argument.value, Syntax::DEVICE).is_ok();
    if is_readable {
        vec![Change::DeviceProperty(argument.element, name.to_owned(), value.to_owned())]
    } else {
        Vec::new()
    }
}
