//! What stands beside the template for other emulators, held against it.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::tests::site;
use super::*;
use crate::system;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn model() -> Model {
    let template = Template::read(&Path::new(ROOT).join("template.yaml")).unwrap();
    template.resolve(&site(), &BTreeMap::new()).unwrap()
}

/// The routes of `cargo lambda watch`, as cargo reads them.
fn watched() -> BTreeSet<String> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(system::cargo()).args(arguments).current_dir(ROOT).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let router = metadata["metadata"]["lambda"]["watch"]["router"].as_object().unwrap().clone();
    let each = router.iter().flat_map(|(path, routes)| {
        let text = |route: &Value, name: &str| route[name].as_str().unwrap().to_owned();
        let routes = routes.as_array().unwrap().iter();
        routes.map(move |route| format!("{} {path} → {}", text(route, "method"), text(route, "function")))
    });
    each.collect()
}

#[test]
fn cargo_lambda_watch_has_the_template_s_routes() {
    let routes = model().routes;
    let routes = routes.iter().map(|route| format!("{} {} → {}", route.method, route.path, route.function));
    assert_eq!(watched(), routes.collect());
}

#[test]
fn sam_local_has_a_value_for_every_variable_of_the_functions() {
    let text = std::fs::read_to_string(Path::new(ROOT).join("events/env.json")).unwrap();
    let values: Value = serde_json::from_str(&text).unwrap();
    let values: BTreeSet<&str> = values["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
    for function in model().functions {
        let missing: Vec<_> = function.environment.keys().filter(|name| !values.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", function.name);
    }
}
