"""docs/architecture.md draws what is there: the flow of the template, the rooms of the code."""

import re
from pathlib import Path

import pytest

from tests.rooms import arrows
from tests.template_file import resources

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md"]
FLOW, ROOMS = re.findall(r"```mermaid\n(.*?)```", PAGES[0].read_text(), re.DOTALL)
DRAWN_KINDS = {"AWS::Serverless::Function", "AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::SNS::Topic"}


def test_the_rooms_are_drawn_as_they_import_each_other() -> None:
    labels = dict(re.findall(r'(\w+)\["([^"]+)"\]', ROOMS))
    drawn = re.findall(r"^ +(\w+)(?:\[[^\]]*\])? --> (\w+)$", ROOMS, re.MULTILINE)
    assert {(labels.get(one, one), labels.get(other, other)) for one, other in drawn} == arrows()


def test_the_flow_has_every_function_queue_table_and_topic_of_the_template_and_no_other() -> None:
    there = {name for kind in DRAWN_KINDS for name in resources(kind)} - {"Alarms", "Pager"}
    functions = "|".join(resources("AWS::Serverless::Function"))
    drawn = set(re.findall(rf"\b(?:{functions}|\w+Queue|\w+Table|\w+Topic|Queue)\b", FLOW))
    assert drawn == there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_the_page_leads_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if not link.startswith("http") and not (page.parent / link).exists()] == []


def test_the_glossary_is_short() -> None:
    [table] = re.findall(r"\| word \| meaning \|\n\|[-|]+\|\n((?:\|.*\n)+)", PAGES[0].read_text())
    assert len(table.splitlines()) <= 15


def test_a_newcomer_s_ten_questions_have_one_file_each() -> None:
    [table] = re.findall(r"\| question \| answer \|\n\|[-|]+\|\n((?:\|.*\n)+)", PAGES[1].read_text())
    rows = table.splitlines()
    assert len(rows) == 10
    assert all(len(re.findall(r"\]\(([^)]+)\)", row)) == 1 for row in rows)
