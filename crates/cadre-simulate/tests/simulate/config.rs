use cadre_simulate::{Config, Preset};

fn refused(json: &str) -> String {
    let nodes = ["a", "b", "c"].map(str::to_owned);
    match serde_json::from_str::<Config>(json) {
        Ok(config) => config.check(&nodes).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_what_was_expected() {
    let cases = [
        (r#"{"loss": 1.5}"#, "expected a probability from 0 to 1 for `loss`, found 1.5"),
        (r#"{"misread": -0.1}"#, "expected a probability from 0 to 1 for `misread`, found -0.1"),
        (
            r#"{"bursts": {"begin": 2, "end": 0, "loss": 0}}"#,
            "expected a probability from 0 to 1 for `bursts.begin`, found 2",
        ),
        (
            r#"{"bandwidth": 0}"#,
            "expected bandwidth above 0, found 0; leave it out for no such limit",
        ),
        (
            r#"{"crash_every": "0s"}"#,
            "expected crash_every above 0, found 0; leave it out for no such limit",
        ),
        (r#"{"down_max": 4}"#, "expected at most 3 nodes for `down_max`, found 4"),
        (
            r#"{"links": [{"from": "a", "to": "d"}]}"#,
            "there is no node `d` for `links`; the nodes are a, b, c",
        ),
        (
            r#"{"schedulers": []}"#,
            "expected at least one of the schedulers `timed`, `priorities` and `delay-bounded`",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(refused(json), expected);
    }
    assert!(refused(r#"{"latency": "exp:-5ms"}"#).contains("which is negative"));
    assert!(refused(r#"{"lossy": 1}"#).starts_with("unknown field `lossy`"));
}

#[test]
fn every_preset_fits_every_cluster_and_is_read_as_it_is_written() {
    for preset in Preset::ALL {
        let config = preset.config();
        assert_eq!(config.check(&["a".to_owned()]), Ok(()), "{}", preset.name());
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
        assert_eq!(Preset::of_name(preset.name()), Some(preset));
    }
}
