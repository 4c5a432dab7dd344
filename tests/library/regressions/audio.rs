//! Sound cards and where their sound goes.

use gvtg_xml::Audio;

use super::*;

const SOUND_CARD: &str = "<sound model='ich9'><audio id='2'/></sound>";

#[test]
fn an_audio_without_id_gets_the_one_that_the_sound_card_names() {
    let devices = format!("{SOUND_CARD}<audio type='pulseaudio'/>");
    let text = fixed(&devices, "", &Settings::default());
    assert!(text.contains("<audio type='pulseaudio' id='2'/>"), "{text}");
}

#[test]
fn a_new_audio_has_the_id_that_the_sound_card_names() {
    let alsa = Audio { backend: "alsa".into(), attributes: Vec::new() };
    let explicit = SettingOverrides { audio: Some(alsa), ..SettingOverrides::default() };
    let settings = Settings { explicit, unsafe_fixes: true, ..Settings::default() };
    let text = fixed(SOUND_CARD, "", &settings);
    assert!(text.contains(SOUND_CARD), "{text}");
    assert!(text.contains("<audio id='2' type='alsa'/>"), "{text}");
}

#[test]
fn a_template_expression_as_audio_type_is_valid() {
    let text = "<domain type='kvm'><devices><sound model='ich9'/><audio id='1' type='{{ audio }}'/></devices></domain>";
    let found = lint(text, &Settings::default());
    assert!(!has_rule(&found, "invalid-audio-type"), "{found:?}");
}
