"""The worker_pool in which workers are killed, and the crash table at the end of the run."""

import contextlib
from collections.abc import Iterator

import pytest

from local.hosting.services import services
from local.settings import Keys
from local.stack import Stack
from tests.crash import rows
from tests.crash.bed import TestBed
from tests.crash.rows import Row
from tests.crash.station import Station
from tests.crash.worker_pool import WorkerPool, worker_pool

_ROWS = pytest.StashKey[list[Row]]()


@pytest.fixture(scope="session")
def place(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPool]:
    """Four stations and a twin, at queues, tables and stand-ins of the tests' own."""
    log = tmp_path_factory.mktemp("crash") / "workers.log"
    with services(Keys(), stack.aws.url, usual_ports=False, bind="127.0.0.1") as stood_in:
        bed = TestBed(stack, stood_in)
        with contextlib.closing(bed), worker_pool(bed, log) as found:
            yield found


@pytest.fixture
def station(place: WorkerPool) -> Station:
    """One for a test that needs no more."""
    return place.first


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> list[Row]:
    """Rows that are put in here are printed when the tests are done."""
    return pytestconfig.stash.setdefault(_ROWS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if played := config.stash.get(_ROWS, []):
        terminalreporter.section("crash table")
        terminalreporter.write_line(rows.markdown(played))
