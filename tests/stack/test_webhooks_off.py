"""
Every webhook switched off: all stories end as they should, by the deployed Sweep alone.

The stand-in's clock goes six minutes behind, so that what just happened is as late as the sweep wants it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from paidshare import notices
from tests.stack.laptop import Laptop
from tests.stack.test_stories import _AT_ONCE, STORIES, Played, Stage, kind_of, opened
from tests.stack.test_sweep import sweep
from tests.stories.story import Story

_BEHIND_S = 360

# A connected account's lists are not the seller's: its orders are heard of by events only.
OWN = tuple(story for story in STORIES if story.account is None and not story.person)

pytestmark = pytest.mark.stack

by_story = pytest.mark.parametrize("story", OWN, ids=lambda story: story.name)


class Silent(Stage):
    """Plays the stories while no event is sent."""

    def told(self) -> None:
        sweep(self._laptop)

    def _take(self, step: int, one: Played) -> list[str]:
        path, body = one.telling.request(one.story.steps[step])
        # A step by Stripe's own API has no quiet way: its events are sent to an endpoint that is none of ours.
        quiet = {"quiet": True} if path.startswith("/_") else {}
        answer = self._laptop.stripe(path.removeprefix("/"), **body, **quiet)
        one.telling.learn(answer)
        if one.story not in OWN or not quiet:
            return []
        # An order of the other mode is none of ours, and what sellers are not told to have sent is not asked for.
        needed = () if body.get("livemode") else notices.NEEDED
        return [event["event"] for event in answer["events"] if event["type"] in needed]


@pytest.fixture(scope="module")
def silence(laptop: Laptop) -> Iterator[Silent]:
    laptop.stripe("_clock", advance_s=-_BEHIND_S)
    try:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            made = Silent(laptop, threads, domain="silence.example")
            made.play()
            yield made
    finally:
        laptop.stripe("_clock", advance_s=_BEHIND_S)


@by_story
def test_each_step_brings_its_letters_after_one_round_of_the_sweep(silence: Silent, story: Story) -> None:
    brought = [sorted(map(kind_of, letters)) for letters in silence.played[story.name].letters]
    assert brought == [sorted(step.letters) for step in story.steps]


@by_story
def test_the_link_opens_in_the_end_what_the_story_says(silence: Silent, story: Story, laptop: Laptop) -> None:
    played = silence.played[story.name]
    links = [letter for letters in played.letters for letter in letters if kind_of(letter) == "delivery"]
    for ending, order_id in zip(story.endings, played.order_ids, strict=True):
        link = next((letter for letter in links if order_id[-8:] in letter.text), None)
        assert opened(link, laptop) == ending.files
