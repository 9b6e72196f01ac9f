"""A draw depends on the seed and its name, and on nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from simulation.chance import Chance

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)


@given(st.integers(0, 2**31), st.lists(NAMES, min_size=1, max_size=8), st.randoms())
def test_the_order_of_asking_changes_no_draw(seed: int, names: list[str], shuffled: object) -> None:
    others = sorted(names, key=lambda name: (len(name), name))
    first, second = Chance(seed), Chance(seed)
    one = {name: first.fixed(name) for name in names}
    assert one == {name: second.fixed(name) for name in others}


@given(st.integers(0, 2**31), NAMES)
def test_the_next_draw_of_a_name_is_another_one(seed: int, name: str) -> None:
    chance = Chance(seed)
    assert len({chance.number(name) for _ in range(5)}) == 5


def test_draws_are_spread_evenly_over_seeds_and_over_names() -> None:
    for draws in (
        [Chance(seed).fixed("season") for seed in range(4_000)],
        [Chance(7).fixed(f"deliver {number}.SES.0") for number in range(4_000)],
    ):
        tenths = [sum(int(draw * 10) == tenth for draw in draws) for tenth in range(10)]
        assert min(tenths) > 320
        assert max(tenths) < 480


@given(st.integers(0, 2**31), NAMES, st.integers(-5, 5), st.integers(0, 9))
def test_a_whole_number_is_within_its_bounds(seed: int, name: str, least: int, more: int) -> None:
    assert least <= Chance(seed).whole(name, least, least + more) <= least + more
