"""What tests of every kind may share."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import botocore.loaders
import httpx._transports.default
import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import settings

from local.stack import Stack, running

# A slow moment of a busy machine is no bug, and a failure nobody can repeat helps nobody.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# What httpx gives up after five seconds is mostly a busy machine. Ours says its own time-outs, and is not touched.
for _wait in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, _wait, 150.0)

# Each client reads the bundle of authorities anew, 40 ms of CPU: half the time of tests that speak to a stand-in.
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)  # type: ignore[attr-defined]

_read = botocore.loaders.JSONFileLoader().load_file


@cache
def _model(file_path: str) -> Any:
    return _read(file_path)


# botocore reads AWS's models anew for each session, and each test has sessions of its own: a third of their time.
botocore.loaders.JSONFileLoader.load_file = staticmethod(_model)  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """
    The laptop's whole system, once per run: MiniStack with IAM enforced, both stand-ins, the deployed template.

    Tests share it, so each makes sales of its own and leaves no fault behind. Mark them with `stack`.
    """
    with ExitStack() as until_the_end:
        try:
            found = until_the_end.enter_context(running(tmp_path_factory.mktemp("stack")))
        except Exception as error:  # noqa: BLE001  # Whatever it was: said once, and not again for each of its tests.
            pytest.exit(f"the laptop's system did not start: {type(error).__name__}: {error}", returncode=1)
        yield found
