use std::{collections::BTreeSet, path::Path};

use super::*;
use crate::template::{Site, Template};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn the_committed_description_is_what_the_functions_say() {
    let committed = std::fs::read_to_string(root().join(FILE)).unwrap_or_default();
    let said = text(&document().unwrap()).unwrap();
    assert!(committed == said, "{FILE} is not what the functions say: run `cargo openapi`");
}

#[test]
fn every_route_of_the_template_is_described_and_no_other() {
    let site = Site {
        region: "us-east-1".into(),
        account: "000000000000".into(),
        stack: "local".into(),
        api_id: "local".into(),
        sqs_url: "http://127.0.0.1:1".into(),
    };
    let template = Template::read(&root().join("template.yaml")).unwrap();
    let model = template.resolve(&site, &Default::default()).unwrap();
    let routes: BTreeSet<_> = model.routes.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let document = serde_json::to_value(document().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{} {BASE_PATH}{path}", method.to_uppercase()))
        })
        .collect();
    assert_eq!(described, routes);
}

#[test]
fn every_parameter_of_a_path_is_described_and_no_other() {
    let document = serde_json::to_value(document().unwrap()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        let named: BTreeSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().unwrap().iter();
            let described: BTreeSet<_> = parameters
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            assert_eq!(described, named, "{method} {path}");
        }
    }
}

#[test]
fn nothing_that_is_written_for_us_stands_in_it() {
    let text = text(&document().unwrap()).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("[`") || line.contains("](")).collect();
    assert!(lines.is_empty(), "links that only rustdoc follows: {lines:#?}");
}
