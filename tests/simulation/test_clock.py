"""Tasks take their turn by the clock, and what dies together dies at once."""

from functools import partial

import pytest

from simulation.clock import START, Clock, Killed, Process


def test_whoever_is_due_first_goes_on_first() -> None:
    clock, said = Clock(), list[str]()

    def wakes(name: str, after: float) -> None:
        clock.sleep(after)
        said.append(f"{name} at {clock.now - START:.0f}")

    for name, after in (("late", 5.0), ("soon", 1.0), ("then", 3.0)):
        clock.spawn(partial(wakes, name, after), scope=name)
    clock.run(until=START + 10)

    assert said == ["soon at 1", "then at 3", "late at 5"]
    assert clock.now == START + 10


def test_what_is_due_later_waits_for_the_next_run() -> None:
    clock, said = Clock(), list[float]()
    clock.at(START + 7, lambda: said.append(clock.now))
    clock.run(until=START + 5)
    assert said == []
    clock.run(until=START + 10)
    assert said == [START + 7]


def test_only_a_task_can_sleep() -> None:
    with pytest.raises(RuntimeError):
        Clock().sleep(1)


def test_a_process_ends_with_all_of_its_tasks_and_tells_so_once() -> None:
    clock, process, said = Clock(), Process("deliver"), list[str]()
    process.ended = lambda: said.append("ended")

    def works() -> None:
        try:
            clock.sleep(10)
            said.append("done")
        except Killed:
            said.append("killed")
            raise

    for _ in range(2):
        clock.spawn(works, scope="x", process=process)
    clock.spawn(works, scope="never begun", process=process, after=20)
    clock.at(START + 5, process.kill)
    clock.run(until=START + 30)

    assert said == ["ended", "killed", "killed"]


def test_one_that_ends_its_own_process_gets_its_turn_back_and_nothing_more() -> None:
    clock, process, said = Clock(), Process("deliver"), list[str]()

    def waits() -> None:
        clock.sleep(10)
        said.append("too far")

    def kills() -> None:
        clock.sleep(1)
        process.kill()
        said.append("killer goes on")
        clock.sleep(1)
        said.append("too far")

    clock.spawn(waits, scope="a", process=process)
    clock.spawn(kills, scope="b", process=process)
    clock.run(until=START + 30)

    assert said == ["killer goes on"]


def test_who_waits_goes_on_when_somebody_wakes_it() -> None:
    clock, said = Clock(), list[float]()

    def waits() -> None:
        clock.wait()
        said.append(clock.now)

    task = clock.spawn(waits, scope="a")
    clock.at(START + 4, lambda: clock.wake(task))
    clock.run(until=START + 10)
    assert said == [START + 4]
