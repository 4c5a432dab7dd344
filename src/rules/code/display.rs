//! Checks of QEMU's displays.

use crate::domain::{Domain, QemuOption, can_have_gl, display_has_gl, display_parts, is_template};
use crate::fix::Change;
use crate::qemu::{DisplayError, DisplayValue, OptionList, Syntax, Value, check_display};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::version::Version;
use crate::xml::fragment::NewElement;

/// Finds a missing `-display`, or one that is not the requested one.
pub(super) fn backend<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let wanted = domain.settings.display();
    if let Some(option) = domain.option_without_operand().filter(|option| option.name == "display")
    {
        let new = NewElement::new(format!("{}arg", option.element.written_prefix()))
            .with_attribute("value", wanted);
        let finding = Finding::at_attribute(context.rule, option.element, "value")
            .with_value("found", "-display has no value: QEMU opens no window for the vGPU");
        return vec![finding.fixed_by(vec![Change::InsertAfter(option.element, new)])];
    }
    match domain.displays().last().and_then(|display| display.operand) {
        Some(operand) if !domain.is_nographic() => {
            let is_requested = domain
                .settings
                .explicit
                .display
                .as_deref()
                .is_none_or(|asked| asked == operand.value);
            if is_requested {
                return Vec::new();
            }
            let change = Change::SetAttribute(operand.element, "value".into(), wanted.into());
            let finding = Finding::at_attribute(context.rule, operand.element, "value").with_value(
                "found",
                format!("-display is {}, but {wanted} was requested", operand.value),
            );
            vec![if is_an_option(operand.value) { finding } else { finding.fixed_by(vec![change]) }]
        }
        // Another rule's fix splits an option joined with its operand.
        None if domain.joined_displays().next().is_some() => Vec::new(),
        None if let Some(option) = domain.options.iter().rfind(|option| option.name == "sdl") => {
            sdl_backend(context, option)
        }
        None if domain.is_shown_by_spice() => Vec::new(),
        _ => {
            let place = domain
                .blocks("commandline")
                .first()
                .copied()
                .or(domain.vgpu)
                .unwrap_or(domain.root);
            let arguments = Change::Arguments(vec!["-display".into(), wanted.into()]);
            let mut finding = Finding::at(context.rule, place)
                .with_value(
                    "found",
                    if domain.is_nographic() {
                        "-nographic turns off QEMU's window for the vGPU"
                    } else {
                        "-display is missing: QEMU opens no window for the vGPU"
                    },
                )
                .fixed_by(vec![arguments]);
            finding.risk = domain.has_screen_without_gl().then_some(Risk::Screen);
            vec![finding]
        }
    }
}

/// Finds `-sdl`, which does not support `gl=on`. Newer QEMU releases no longer have it, and there
/// another rule's fix replaces it.
fn sdl_backend<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    option: &QemuOption<'d>,
) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.settings.libvirt >= Version::new(8, 5, 0) {
        return Vec::new();
    }
    let wanted = domain.settings.explicit.display.as_deref().unwrap_or("sdl,gl=on");
    let operand = NewElement::new(format!("{}arg", option.element.written_prefix()))
        .with_attribute("value", wanted);
    let changes = vec![
        Change::SetAttribute(option.element, "value".into(), "-display".into()),
        Change::InsertAfter(option.element, operand),
    ];
    let finding = Finding::at_attribute(context.rule, option.element, "value")
        .with_value("found", "-sdl opens a window without OpenGL: QEMU cannot show the vGPU in it");
    vec![finding.with_value("display", wanted).fixed_by(changes)]
}

/// Whether QEMU takes the following option for the operand that a `-display` lacks. Only the user
/// knows what was meant. The arguments after it are a separate finding, because QEMU cannot read
/// them.
fn is_an_option(operand: &str) -> bool {
    operand.starts_with('-')
}

/// Finds an effective display without OpenGL, in which QEMU cannot show a vGPU.
pub(super) fn gl_off<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.settings.explicit.display.is_some() {
        return Vec::new();
    }
    let Some(operand) = domain.displays().last().and_then(|display| display.operand) else {
        return Vec::new();
    };
    let (kind, gl) = display_parts(operand.value);
    // Another rule reports displays without a type, and types that QEMU cannot open.
    let is_openable = is_without_gl(&kind)
        || can_have_gl(&kind) && !kind.is_empty()
        || is_template(operand.value);
    if display_has_gl(&kind, gl.as_deref()) || !is_openable {
        return Vec::new();
    }
    let is_capable = kind != "none" && can_have_gl(&kind);
    let value =
        if is_capable { with_gl(operand.value) } else { domain.settings.display().to_owned() };
    let change = Change::SetAttribute(operand.element, "value".into(), value);
    let mut finding = Finding::at_attribute(context.rule, operand.element, "value")
        .with_value("found", operand.value)
        .fixed_by(vec![change]);
    // The user chose another display, for an unknown purpose.
    finding.risk = (!is_capable && kind != "none").then_some(Risk::Screen);
    vec![finding]
}

/// Whether QEMU can open this display type and it has no OpenGL, or only has it if QEMU's default
/// display does.
fn is_without_gl(kind: &str) -> bool {
    matches!(kind, "none" | "curses" | "default")
}

fn with_gl(value: &str) -> String {
    OptionList::parse(value, Syntax::DISPLAY)
        .map_or_else(|_| value.to_owned(), |list| list.with_option("gl", Value::Text("on")))
}

/// Finds a display that QEMU cannot open when libvirt starts it.
pub(super) fn unusable<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    // The requested display replaces any other.
    if domain.settings.explicit.display.is_some() {
        return Vec::new();
    }
    let Some(operand) = domain.displays().last().and_then(|display| display.operand) else {
        return Vec::new();
    };
    if is_an_option(operand.value) || is_template(operand.value) {
        return Vec::new();
    }
    let Err(error) = check_display(operand.value) else { return Vec::new() };
    let Some(what) = why_unusable(domain, operand.value, &error) else { return Vec::new() };
    let shown_operand = if operand.value.is_empty() { "\"\"" } else { operand.value };
    let finding = Finding::at_attribute(context.rule, operand.element, "value")
        .with_value("found", shown_operand)
        .with_value("what", what);
    let value = match error {
        DisplayError::Kind(_) => domain.settings.display().to_owned(),
        DisplayError::WithoutGl | DisplayError::WrongValue("gl", _) => with_gl(operand.value),
        // Only the user knows what the option was for.
        _ => return vec![finding],
    };
    let change = Change::SetAttribute(operand.element, "value".into(), value);
    vec![Finding { risk: Some(Risk::Screen), ..finding.fixed_by(vec![change]) }]
}

/// Returns why QEMU, started by libvirt, exits at a display. `None` if it starts, or if another
/// rule reports the reason.
fn why_unusable(domain: &Domain<'_>, operand: &str, error: &DisplayError) -> Option<String> {
    let (kind, _) = display_parts(operand);
    match error {
        DisplayError::Kind(kind) => match kind.as_str() {
            kind if is_without_gl(kind) => None,
            "" => Some("QEMU exits with \"Parameter 'type' is missing\"".to_owned()),
            "vnc" => Some("QEMU exits with \"VNC requires a display argument vnc=<display>\"".to_owned()),
            "dbus" => finds_no_bus(domain, operand)
                .then(|| "libvirt starts QEMU without a session bus (\"failed to connect to DBus\")".to_owned()),
            "spice-app" => Some("this display starts a viewer, which fails under libvirt (\"Failed to launch spice+unix\")".to_owned()),
            "help" => Some("QEMU lists its display types and exits".to_owned()),
            _ => Some("QEMU does not have this display type on Linux".to_owned()),
        },
        DisplayError::UnknownOption(display, name) => {
            let is_renamed = display.kind == "sdl" && super::options::DROPPED_DISPLAY_PARTS.contains(&name.as_str());
            (!is_renamed).then(|| format!("QEMU exits with \"Parameter '{name}' is unexpected\""))
        }
        DisplayError::WithoutGl if kind == "egl-headless" => {
            Some("QEMU exits with \"egl: turning off GL doesn't make sense\" (QEMU 7.2 and earlier ignore it)".to_owned())
        }
        // Turning OpenGL on is another rule's fix.
        DisplayError::WithoutGl => None,
        DisplayError::WrongValue("gl", _) if kind != "egl-headless" && domain.has_vgpu() && !domain.is_shown_by_graphics() => None,
        DisplayError::WrongValue(name, DisplayValue::Switch) => Some(format!("'{name}' must be on or off")),
        DisplayError::WrongValue(name, DisplayValue::Number) => Some(format!("'{name}' must be a number")),
        DisplayError::WrongValue(name, DisplayValue::OneOf(words)) => Some(format!("'{name}' must be one of {}", words.join(", "))),
        // QEMU accepts relative paths, too.
        DisplayError::WrongValue(_, DisplayValue::Path) | DisplayError::Unreadable(_) => None,
    }
}

/// Whether a D-Bus display has no bus to connect to: it names no address, is not peer-to-peer
/// (`p2p`), and the domain passes on no session bus.
fn finds_no_bus(domain: &Domain<'_>, operand: &str) -> bool {
    let list = OptionList::parse(operand, Syntax::DISPLAY);
    let names_bus = list.is_ok_and(|list| {
        list.get("addr").is_some() || list.get("p2p").is_some_and(|p2p| p2p != "off")
    });
    let env = |name: &str| {
        let mut children = domain.blocks("commandline").iter().flat_map(|block| block.children());
        children
            .rfind(|child| child.attribute("name") == Some(name))
            .map(|env| env.attribute("value").unwrap_or(""))
    };
    // Without an address, GLib looks for the bus socket in XDG_RUNTIME_DIR.
    let is_passed_on = match env("DBUS_SESSION_BUS_ADDRESS").filter(|address| !address.is_empty()) {
        Some(address) => !address.starts_with("disabled:"),
        None => env("XDG_RUNTIME_DIR").is_some(),
    };
    !names_bus && !is_passed_on
}

/// Finds displays before the last one, which QEMU ignores.
pub(super) fn several<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let displays = context.domain.displays();
    let Some((last, others)) = displays.split_last() else { return Vec::new() };
    let finding = |display: &QemuOption<'d>| {
        let mut changes = vec![Change::Remove(display.element)];
        changes.extend(display.operand.map(|operand| Change::Remove(operand.element)));
        let operand_value = display.operand.map_or("", |operand| operand.value);
        Finding::at(context.rule, display.element)
            .with_value("found", operand_value)
            .related_to(last.element.start_tag().span, "the one that takes effect")
            .fixed_by(changes)
    };
    // QEMU exits at displays that it cannot read, instead of ignoring them.
    let is_readable = |display: &&QemuOption<'d>| {
        display.operand.is_none_or(|operand| !is_an_option(operand.value))
    };
    others.iter().filter(is_readable).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::with_gl;

    #[test]
    fn with_gl_keeps_other_options() {
        assert_eq!(with_gl("gtk"), "gtk,gl=on");
        assert_eq!(with_gl("gtk,gl=off,zoom-to-fit=on"), "gtk,gl=on,zoom-to-fit=on");
        assert_eq!(with_gl("sdl,gl=yes"), "sdl,gl=on");
        assert_eq!(with_gl("{\"type\":\"gtk\"}"), "{\"type\":\"gtk\",\"gl\":\"on\"}");
    }
}
