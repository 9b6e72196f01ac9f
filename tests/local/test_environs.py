"""What the programs that we start may see of the user's environment."""

import os
import sys
from pathlib import Path

import pytest

from local.aws import environs

THEIRS = {
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "https://elsewhere.example",
    "STRIPE_API_KEY": "sk_test_real",
    "FASTIO_API_KEY": "real",
    "MAKEFLAGS": "w --jobserver-auth=3,4",
}


@pytest.fixture(autouse=True)
def _their_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in THEIRS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")


def test_functions_inherit_none_of_it() -> None:
    assert set(THEIRS.values()).isdisjoint(environs.bare().values())


def test_a_deploy_can_only_reach_the_laptops_aws() -> None:
    seen = environs.deploying("http://127.0.0.1:4566")

    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert seen["AWS_ACCESS_KEY_ID"] == "test"
    assert seen["AWS_CONFIG_FILE"] == seen["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert set(THEIRS.values()).isdisjoint(seen.values())


def test_a_build_keeps_the_way_to_the_package_index_and_nothing_of_aws() -> None:
    seen = environs.building()

    assert seen["PIP_INDEX_URL"] == "https://packages.example/simple"
    assert set(THEIRS.values()).isdisjoint(seen.values())


def test_a_build_finds_our_python_first() -> None:
    first = environs.building()["PATH"].split(os.pathsep)[0]

    assert first == str(Path(sys.prefix) / "bin")
