"""What README tells a seller to set is what there is."""

import json
import re

from local.settings import ROOT, WEBHOOK_EVENTS
from paidshare import notices
from tests.template_file import template

README = (ROOT / "README.md").read_text()


def test_the_events_that_sellers_are_told_to_send_are_those_that_the_laptop_sends() -> None:
    [table] = re.findall(r"\| for \| events \|\n +\|[-|]+\|\n((?: +\|.*\n)+)", README)
    assert sorted(re.findall(r"`([a-z_.]+)`", table)) == sorted(WEBHOOK_EVENTS)


def test_every_one_of_them_asks_for_a_look() -> None:
    for why in WEBHOOK_EVENTS:
        event = {"id": "evt_1", "object": "event", "type": why, "livemode": False, "data": {"object": {"id": "pi_1"}}}
        assert isinstance(notices.from_stripe(json.dumps(event).encode(), livemode=False), notices.Notice)


def test_every_parameter_of_the_template_is_explained() -> None:
    [table] = re.findall(r"\| parameter \| default \| \|\n\|[-|]+\|\n((?:\|.*\n)+)", README)
    named = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(template()["Parameters"])
