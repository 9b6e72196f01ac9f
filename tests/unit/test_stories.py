"""
Every purchase story, in any order: the events may come late, twice, in an old API version, or not at all.

Each story is recorded once at the Stripe stand-in with the real adapter (tests/stories); here it is played in memory.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paidshare.states import Kind, State
from tests.stories import table
from tests.stories.every import EVERY
from tests.stories.recording import Event, Recorder, Recording, recorder
from tests.stories.replaying import Ended, Replay, World, called_for
from tests.stories.story import Story

_ORDERS_OF_A_DAY = 500

by_story = pytest.mark.parametrize("story", EVERY, ids=lambda story: story.name)


@pytest.fixture(scope="module")
def recordings() -> Iterator[Recorder]:
    with recorder() as made:
        yield made


@dataclass(frozen=True, slots=True)
class Look:
    """An event (*step*, *event*), or a sweep's look at an order, when the truth is that of step *at*."""

    at: int
    step: int = 0
    event: int = 0
    old: bool = False
    sweep: str | None = None


@st.composite
def schedules(draw: st.DrawFn, recording: Recording) -> list[Look]:
    """
    Each event not before it happened, any number of times or never. Each order is looked at by a sweep after the
    last step, and now and then before.
    """
    last = len(recording.moments) - 1
    looks: list[Look] = []
    for step, moment in enumerate(recording.moments):
        for event in range(len(moment.events)):
            heard = draw(st.lists(st.tuples(st.integers(step, last), st.booleans()), max_size=3))
            looks += [Look(at, step, event, old) for at, old in heard]
    for order_id in recording.moments[-1].orders:
        known = next(step for step, moment in enumerate(recording.moments) if order_id in moment.orders)
        swept = [last, *draw(st.lists(st.integers(known, last), max_size=2))]
        looks += [Look(at, sweep=order_id) for at in swept]
    return sorted(draw(st.permutations(looks)), key=lambda look: look.at)


def played(recording: Recording, schedule: list[Look]) -> Replay:
    replay = Replay(recording)
    looks = {at: list(found) for at, found in itertools.groupby(schedule, key=lambda look: look.at)}
    for step in range(len(recording.moments)):
        replay.reach(step)
        for look in looks.get(step, []):
            if look.sweep:
                replay.sweep(look.sweep)
            else:
                replay.hear(look.step, look.event, old=look.old)
    return replay


def in_order(recording: Recording) -> Replay:
    replay = Replay(recording)
    replay.in_order()
    return replay


@cache
def as_it_happened(recording: Recording) -> dict[str, Ended]:
    return in_order(recording).endings()


class TestInOrder:
    @by_story
    def test_a_story_ends_as_it_says_and_writes_the_letters_it_says(self, recordings: Recorder, story: Story) -> None:
        replay = in_order(recordings.of(story))

        orders = replay.recording.moments[-1].orders
        assert set(replay.recording.order_ids) >= set(orders)
        for order_id, ending in zip(replay.recording.order_ids, story.endings, strict=True):
            progress = replay.progress(order_id)
            reason = orders[order_id].same_as if ending.state is State.ELSEWHERE else ending.why
            assert (progress.state, progress.reason, replay.files(order_id)) == (ending.state, reason, ending.files)

    @by_story
    def test_a_sweep_after_it_finds_nothing_to_do(self, recordings: Recorder, story: Story) -> None:
        replay = in_order(recordings.of(story))
        ended, letters, calls = replay.endings(), replay.letters(), replay.world.shares.calls
        for order_id in replay.recording.moments[-1].orders:
            replay.sweep(order_id)
        assert (replay.endings(), replay.letters(), replay.world.shares.calls) == (ended, letters, calls)


class TestInAnyOrder:
    @by_story
    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def test_a_story_ends_the_same_and_no_letter_is_out_of_place(
        self, recordings: Recorder, story: Story, data: st.DataObject
    ) -> None:
        recording = recordings.of(story)
        replay = played(recording, data.draw(schedules(recording)))

        assert replay.endings() == as_it_happened(recording)
        for order_id in recording.moments[-1].orders:
            letters = [sent for sent in replay.letters() if sent.order_id == order_id]
            # That each was called for when it went out is the outbox's business. Here: none twice, and the last holds.
            assert all(one != another for one, another in itertools.pairwise(letters))
            assert sum(sent.kind is Kind.DELIVERY for sent in letters) <= 1
            assert letters[-1:] == [] or letters[-1].kind in called_for(replay.dues(order_id))

    @by_story
    def test_a_story_that_only_a_sweep_sees_at_its_end_ends_the_same(self, recordings: Recorder, story: Story) -> None:
        recording = recordings.of(story)
        last = len(recording.moments) - 1
        replay = played(recording, [Look(last, sweep=order_id) for order_id in recording.moments[-1].orders])
        assert replay.endings() == as_it_happened(recording)


@by_story
def test_two_event_objects_for_one_fact_make_one_share_and_one_letter(recordings: Recorder, story: Story) -> None:
    recording = recordings.of(story)
    doubled = replace(
        recording,
        moments=tuple(
            replace(moment, events=tuple(one for event in moment.events for one in (event, another(event))))
            for moment in recording.moments
        ),
    )
    replay, once = in_order(doubled), in_order(recording)
    assert replay.letters() == once.letters()
    assert replay.endings() == once.endings()
    assert replay.world.shares.calls == once.world.shares.calls


def another(event: Event) -> Event:
    """A second Event object for the same fact."""
    first, second = (json.dumps(json.loads(body) | {"id": "evt_another"}).encode() for body in event.bodies)
    return Event((first, second))


def test_docs_stories_is_what_the_stories_say() -> None:
    assert table.PAGE.read_text(encoding="utf-8") == table.page(), "python scripts/stories.py writes it anew"


def test_a_whole_day_of_events_once_more_sends_no_letter_and_changes_no_share(recordings: Recorder) -> None:
    world = World()
    replays: list[Replay] = []
    orders = 0
    for number in itertools.count():
        for story in EVERY:
            replay = Replay(recordings.of(story), world, name=f"x{number}")
            replay.in_order()
            replays.append(replay)
            orders += len(replay.recording.moments[-1].orders)
        if orders >= _ORDERS_OF_A_DAY:
            break
    letters, shares, calls = list(world.mailer.sent), deepcopy(world.shares.made), world.shares.calls
    archived, ledger = set(world.shares.archived), dict(world.ledger.orders)
    # No provider fails in a story: nobody is told of a delay.
    assert {sent.kind for sent in world.mailer.letters} == set(Kind) - {Kind.DELAYED}

    events = [
        (replay, step, event)
        for replay in replays
        for step, moment in enumerate(replay.recording.moments)
        for event in range(len(moment.events))
    ]
    for replay, step, event in sorted(events, key=_any_order):
        replay.hear(step, event)

    assert world.mailer.sent == letters
    assert world.shares.calls == calls
    assert (world.shares.made, world.shares.archived) == (shares, archived)
    assert world.ledger.orders == ledger


def _any_order(event: tuple[Replay, int, int]) -> bytes:
    """The same at every run, and as good as random."""
    replay, step, number = event
    return hashlib.sha256(f"{replay.named(replay.story.name)} {step} {number}".encode()).digest()
