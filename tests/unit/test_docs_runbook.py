"""The runbook's commands name what the stack really has, and every alarm has an entry."""

import re

from local.settings import ROOT
from tests.template_file import properties, resources, template

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
FIRST, *COMMANDS = re.findall(r"^```sh\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)


def test_every_variable_that_a_command_uses_is_set_at_the_top_and_no_other_is() -> None:
    set_at_the_top = set(re.findall(r"^([A-Z_]+)=", FIRST, re.MULTILINE))
    assert set(re.findall(r"\$([A-Z_]+)", "".join([FIRST, *COMMANDS]))) == set_at_the_top


def test_a_variable_is_the_stage_or_the_output_of_its_name() -> None:
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", FIRST, re.MULTILINE))
    del values["STAGE"]
    outputs = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(): f"$(output {name})" for name in template()["Outputs"]}
    assert values
    assert values.items() <= outputs.items()


def test_every_stack_that_samconfig_names_is_named_after_its_stage_as_the_runbook_s_is() -> None:
    samconfig = (ROOT / "samconfig.toml").read_text()
    stages = re.findall(r'"Stage=([a-z0-9-]+)"', samconfig)
    assert stages
    assert re.findall(r'^stack_name = "(.+)"$', samconfig, re.MULTILINE) == [f"paidshare-{stage}" for stage in stages]
    assert re.findall(r'--stack-name "(.+?)"', FIRST) == ["paidshare-$STAGE"]


def test_a_log_that_is_read_is_one_of_the_stack_s() -> None:
    groups = {properties(name)["LogGroupName"]["Fn::Sub"] for name in resources("AWS::Logs::LogGroup")}
    read = set(re.findall(r'aws logs tail "(.+?)"', "".join(COMMANDS)))
    assert read
    assert {group.replace("$STAGE", "${Stage}") for group in read} <= groups


def test_a_redrive_says_its_destination() -> None:
    """Deliver puts messages into the dead-letter queue itself, so SQS does not know where they came from."""
    commands = re.findall(r"aws sqs start-message-move-task[^`]*", RUNBOOK)
    assert commands
    assert all("--destination-arn" in command for command in commands)
