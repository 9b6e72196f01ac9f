"""
Every purchase story through the deployed template: each step's letters, what the link opens in the end.

The stories are played side by side, a step at a time; then each test looks at its own. The stack has the template's
default parameters: stories that need others are played in memory only (tests/unit/test_stories.py).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pytest

from local.aws.letters import Letter
from paidshare import notices
from paidshare.notices import Notice
from paidshare.states import Kind, State
from tests.stack.laptop import Laptop, until
from tests.stories.every import EVERY, PRODUCTS
from tests.stories.story import Story, Telling

STORIES = tuple(story for story in EVERY if story.is_default)

# What an order's row must keep when nothing happened to it. The rest says when it was last looked at.
_KEPT = ("state", "reason", "share_id", "holds", "share_expires_at", "closed_at", "told", "given", "message_id")
_AT_ONCE = 4

pytestmark = pytest.mark.stack

by_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


@dataclass(slots=True)
class Played:
    """A story on its way. `events` are all that were sent; `letters` what each step brought the buyer, in order."""

    telling: Telling
    email: str
    events: list[str] = field(default_factory=list)
    letters: list[list[Letter]] = field(default_factory=list)

    @property
    def story(self) -> Story:
        return self.telling.story

    @property
    def order_ids(self) -> list[str]:
        return [self.telling.order_id(ending) for ending in self.story.endings]

    @property
    def is_known(self) -> bool:
        """Whether there is an order in the ledger: events of the other mode and of strangers leave none."""
        return any(ending.state is not State.NEW for ending in self.story.endings)


class Stage:
    """Plays the stories at the laptop system."""

    def __init__(self, laptop: Laptop, threads: ThreadPoolExecutor, *, domain: str = "stories.example") -> None:
        self._laptop = laptop
        self._threads = threads
        products = {name: self._product(name) for name in PRODUCTS}
        emails = {story.name: f"{story.name}@{domain}" for story in STORIES}
        self.played = {
            story.name: Played(Telling(story, products, email=emails[story.name]), emails[story.name])
            for story in STORIES
        }

    def play(self) -> None:
        """All of them, each step when the one before has been seen to."""
        for step in range(max(len(story.steps) for story in STORIES)):
            going_on = [one for one in self.played.values() if step < len(one.story.steps)]
            sent = self._side_by_side(partial(self._take, step), going_on)
            self.told()
            self.quiet(event for events in sent for event in events)
            letters = self._laptop.stack.letters()
            for one in going_on:
                known = sum(map(len, one.letters))
                one.letters.append([letter for letter in letters if one.email in letter.to][known:])

    def told(self) -> None:
        """What happened is told of: by the events that were sent."""

    def replay(self) -> None:
        """Every event of every story again, and for each session one more Event object about it."""
        every = [event for one in self.played.values() for event in one.events]
        self._side_by_side(lambda event: self._laptop.stripe("_send", event=event), every)
        sessions = [one.order_ids[0] for one in self.played.values() if "session" in one.telling.ids and one.is_known]
        again = self._side_by_side(
            lambda session: self._laptop.stripe("_send", session=session, new_event=True), sessions
        )
        self.quiet(str(answer["event"]) for answer in again)

    def quiet(self, events: Iterable[str]) -> None:
        """
        Returns when Deliver has seen to every one of *events*: as its log says, or because nothing waits any more. On a
        busy machine MiniStack misses the last lines of an invocation.
        """
        awaited = set(events)

        def seen_to() -> bool:
            lines = self._laptop.log("deliver")
            return awaited <= {
                line["event_id"] for line in lines if line.get("message") in ("order_looked_at", "order_on_hold")
            }

        until(lambda: self._laptop.is_idle() or seen_to(), f"{len(awaited)} events to be seen to")

    def rows(self) -> dict[str, dict[str, str | None]]:
        """What must not change of the ledger's rows, for all orders of all stories."""
        orders = [order for one in self.played.values() for order in one.order_ids]
        rows = zip(orders, self._side_by_side(self._laptop.order, orders), strict=True)
        return {order: {name: row.get(name) for name in _KEPT} for order, row in rows}

    def letters(self) -> list[Letter]:
        """All that went to the stories' buyers."""
        emails = {one.email for one in self.played.values()}
        return [letter for letter in self._laptop.stack.letters() if emails & set(letter.to)]

    def _take(self, step: int, one: Played) -> list[str]:
        path, body = one.telling.request(one.story.steps[step])
        answer = self._laptop.stripe(path.removeprefix("/"), **body)
        one.telling.learn(answer)
        # What README does not tell sellers to have sent is not sent, and not needed. What is not taken comes again.
        sent = [event for event in answer["events"] if event["delivery"]]
        one.events += [event["event"] for event in sent]
        livemode = bool(body.get("livemode"))
        return [event["event"] for event in sent if _asks_for_a_look(event["type"], livemode=livemode)]

    def _product(self, name: str) -> str:
        def put(path: str) -> tuple[str, list[str]]:
            made = self._laptop.file(path, f"the {path.rpartition('/')[2]}")
            return made["node_id"], made["folder_ids"]

        product = PRODUCTS[name]
        metadata = product.metadata("test-shop", put)
        made = self._laptop.stripe("_product", name=product.name, unit_amount=product.price, metadata=metadata)
        return str(made["product"])

    def _side_by_side[T, R](self, work: Callable[[T], R], on: Iterable[T]) -> list[R]:
        return list(self._threads.map(work, on))


def _asks_for_a_look(kind: str, *, livemode: bool) -> bool:
    """Whether Receive queues such an event."""
    event = {"id": "evt_1", "object": "event", "type": kind, "livemode": livemode, "data": {"object": {"id": "cs_1"}}}
    return isinstance(notices.from_stripe(json.dumps(event).encode(), livemode=False), Notice)


@pytest.fixture(scope="module")
def stage(laptop: Laptop) -> Iterator[Stage]:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        made = Stage(laptop, threads)
        made.play()
        yield made


@by_story
def test_each_step_of_a_story_brings_the_letters_that_it_should(stage: Stage, story: Story) -> None:
    brought = [sorted(map(kind_of, letters)) for letters in stage.played[story.name].letters]
    assert brought == [sorted(step.letters) for step in story.steps]


@by_story
def test_a_story_ends_in_the_ledger_as_it_says(stage: Stage, story: Story, laptop: Laptop) -> None:
    played = stage.played[story.name]
    for ending, order_id in zip(story.endings, played.order_ids, strict=True):
        row = laptop.order(order_id)
        # Of a renewal that is not paid no event is sent that sellers are told to have sent: nobody looked at it yet.
        if not (ending.state is State.WAITING and order_id.startswith("in_") and not row):
            assert row.get("state", "new") == ending.state
            assert ending.state is State.ELSEWHERE or row.get("reason") == ending.why


@by_story
def test_what_a_link_opens_in_the_end_is_what_the_story_says(stage: Stage, story: Story, laptop: Laptop) -> None:
    played = stage.played[story.name]
    links = [letter for letters in played.letters for letter in letters if kind_of(letter) is Kind.DELIVERY]
    for ending, order_id in zip(story.endings, played.order_ids, strict=True):
        # A letter names its order by the end of the id.
        link = next((letter for letter in links if order_id[-8:] in letter.text), None)
        assert opened(link, laptop) == ending.files


@pytest.mark.parametrize("story", [s for s in STORIES if s.person], ids=lambda story: story.name)
def test_what_a_person_has_to_decide_is_in_the_dead_letters(stage: Stage, story: Story, laptop: Laptop) -> None:
    assert laptop.dead_letter(stage.played[story.name].order_ids[0])["reason"] == story.person


def test_every_event_of_every_story_once_more_sends_no_letter_and_changes_no_order(
    stage: Stage, laptop: Laptop
) -> None:
    rows, letters = stage.rows(), stage.letters()

    stage.replay()

    assert stage.letters() == letters
    assert stage.rows() == rows


def kind_of(letter: Letter) -> Kind:
    return next(kind for kind in Kind if letter.subject.startswith(kind.headline))


def opened(letter: Letter | None, laptop: Laptop) -> tuple[str, ...] | None:
    """The names of the files that the letter's link opens now; None without a letter, or when the link is dead."""
    if letter is None:
        return None
    link = re.search(r"https?://\S+/shared/\S+", letter.text)
    assert link
    return tuple(sorted(laptop.downloaded(letter))) if laptop.http.get(link[0]).status_code == 200 else None
