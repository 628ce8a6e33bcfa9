"""template.yaml as CloudFormation gets it: translated by the SAM translator, the alarms of its nested stacks included."""

import copy
import functools
import json
import logging
import pathlib
import tomllib

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
# It warns of features of its own that it was not told of.
logging.getLogger("samtranslator").setLevel(logging.ERROR)


class OfflinePolicies:
    """No function names a managed policy of AWS by its name: none has to be looked up."""

    def load(self):
        return {}


def read(name):
    return yaml_parse((ROOT / name).read_text())


def samconfig():
    return tomllib.loads((ROOT / "samconfig.toml").read_text())


def overrides(stage):
    """The parameters that a stage is deployed with."""
    environment = "default" if stage == "dev" else stage
    pairs = samconfig()[environment]["deploy"]["parameters"]["parameter_overrides"]
    return dict(pair.split("=", 1) for pair in pairs)


@functools.cache
def translated(stage):
    """The whole template of a stage, with every parameter, condition and parameter-only function resolved."""
    source = read("template.yaml")
    parameters = {name: str(it.get("Default", "")) for name, it in source["Parameters"].items()} | overrides(stage)
    validator = SamTemplateValidator(
        copy.deepcopy(source), OfflinePolicies(), region=REGION, parameter_overrides=dict(parameters)
    )
    template = yaml_parse(validator.get_translated_template_if_valid())
    return Resolved(template, parameters)


class Resolved:
    """A translated template with its parameters: what stands in it is what would be deployed."""

    def __init__(self, template, parameters):
        self.conditions = template.get("Conditions", {})
        self.parameters = parameters
        resources = {name: it for name, it in template["Resources"].items() if self._is_there(it)}
        self.resources = {name: self.value(it) for name, it in resources.items()}

    def _is_there(self, resource):
        return "Condition" not in resource or self.holds(resource["Condition"])

    def holds(self, name):
        return self._truth(self.conditions[name])

    def _truth(self, condition):
        (kind, argument), = condition.items()
        match kind:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = (str(self.value(side)) for side in argument)
                return left == right
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(self._truth(one) for one in argument)
            case "Fn::Or":
                return any(self._truth(one) for one in argument)
        raise ValueError(f"{condition} is no condition")

    def value(self, value):
        """Parameters and conditions filled in; what only a deployment knows, such as an ARN, stays an intrinsic function."""
        if isinstance(value, list):
            values = [self.value(one) for one in value]
            return [one for one in values if one is not None]
        if not isinstance(value, dict):
            return value
        if list(value) == ["Ref"]:
            if value["Ref"] == "AWS::NoValue":
                return None
            return self.parameters.get(value["Ref"], value)
        if list(value) == ["Fn::If"]:
            name, yes, no = value["Fn::If"]
            return self.value(yes if self.holds(name) else no)
        if list(value) == ["Fn::Sub"] and isinstance(value["Fn::Sub"], str):
            text = value["Fn::Sub"]
            for name, given in self.parameters.items():
                if isinstance(given, str):
                    text = text.replace("${" + name + "}", given)
            return text if "${" not in text else {"Fn::Sub": text}
        filled = {name: self.value(one) for name, one in value.items()}
        return {name: one for name, one in filled.items() if one is not None}

    def of_type(self, kind):
        return {name: it for name, it in self.resources.items() if it["Type"] == kind}

    def properties(self, kind):
        return {name: it["Properties"] for name, it in self.of_type(kind).items()}

    def alarms(self):
        """Every alarm, by its id; one of a nested stack by the stack's id and its own."""
        alarms = dict(self.properties("AWS::CloudWatch::Alarm"))
        for stack, properties in self.properties("AWS::CloudFormation::Stack").items():
            module = read(properties["TemplateURL"])
            inner = Resolved(module, properties["Parameters"])
            for name, alarm in inner.properties("AWS::CloudWatch::Alarm").items():
                alarms[f"{stack}.{name}"] = alarm
        return alarms


def written(stage, path):
    """Writes the translated template for tools that read files."""
    template = translated(stage)
    pathlib.Path(path).write_text(json.dumps({"Resources": template.resources}, indent=1))


if __name__ == "__main__":
    import sys

    written(sys.argv[1], sys.argv[2])
