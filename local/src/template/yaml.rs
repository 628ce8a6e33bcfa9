//! YAML with CloudFormation's short tags to JSON in the long form: `!Ref X` becomes `{"Ref": "X"}`.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value, json};

use super::TemplateError;

pub fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents =
        Yaml::load_from_str(text).map_err(|error| TemplateError::new("", format!("is no YAML: {error}")))?;
    match documents.as_slice() {
        [document] => to_json(document),
        _ => Err(TemplateError::new("", format!("holds {} documents instead of one", documents.len()))),
    }
}

fn to_json(node: &Yaml) -> Result<Value, TemplateError> {
    Ok(match node {
        Yaml::Value(scalar) => scalar_to_json(scalar),
        Yaml::Representation(text, ..) => Value::String(text.to_string()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key_to_string(key)?, to_json(value)?);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tag, inner) => long_form(&tag.suffix, to_json(inner)?),
        Yaml::Alias(_) | Yaml::BadValue => return Err(TemplateError::new("", "holds a value that cannot be read")),
    })
}

fn scalar_to_json(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Bool(*flag),
        Scalar::Integer(number) => Value::Number((*number).into()),
        Scalar::FloatingPoint(number) => Number::from_f64(number.into_inner()).map_or(Value::Null, Value::Number),
        Scalar::String(text) => Value::String(text.to_string()),
    }
}

fn key_to_string(key: &Yaml) -> Result<String, TemplateError> {
    match to_json(key)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        other => Err(TemplateError::new("", format!("has a key that is no text: {other}"))),
    }
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>
fn long_form(tag: &str, value: Value) -> Value {
    match tag {
        "Ref" | "Condition" => json!({ tag: value }),
        "GetAtt" => match value {
            Value::String(path) => {
                let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
                json!({ "Fn::GetAtt": [resource, attribute] })
            }
            other => json!({ "Fn::GetAtt": other }),
        },
        _ => json!({ format!("Fn::{tag}"): value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_the_long_form() {
        let text = "a: !Ref Table\nb: !GetAtt Queue.Arn\nc: !Sub '${Table.Arn}/index/*'\nd: !If [Prod, 1, !Ref AWS::NoValue]\n";
        let expected = json!({
            "a": {"Ref": "Table"},
            "b": {"Fn::GetAtt": ["Queue", "Arn"]},
            "c": {"Fn::Sub": "${Table.Arn}/index/*"},
            "d": {"Fn::If": ["Prod", 1, {"Ref": "AWS::NoValue"}]},
        });
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn dates_and_words_stay_text_and_quoted_numbers_too() {
        let parsed = parse("Version: 2012-10-17\nMode: on\nType: \"N\"\nPort: \"80\"\nTimeout: 30\n").unwrap();
        let expected = json!({"Version": "2012-10-17", "Mode": "on", "Type": "N", "Port": "80", "Timeout": 30});
        assert_eq!(parsed, expected);
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error_that_says_where() {
        let error = parse("a: 1\na: 2\n").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
