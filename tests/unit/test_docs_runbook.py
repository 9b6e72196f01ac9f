"""The runbook's commands name what the stack really has."""

import re

from local.settings import ROOT
from tests.template_file import template

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def test_every_variable_of_its_commands_is_an_output_of_the_stack_or_a_parameter() -> None:
    known = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for part in ("Outputs", "Parameters") for name in template()[part]
    }
    used = set(re.findall(r"\$([A-Z_]+)", RUNBOOK))
    assert used
    assert used <= known


def test_a_redrive_says_its_destination() -> None:
    """Deliver puts messages into the dead-letter queue itself, so SQS does not know where they came from."""
    [command] = re.findall(r"aws sqs start-message-move-task.*", RUNBOOK)
    assert '--destination-arn "$QUEUE_ARN"' in command
