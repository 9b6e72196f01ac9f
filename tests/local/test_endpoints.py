"""endpoints.json: others read it while we write it, and after we have crashed."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.hosting import endpoints
from local.hosting.endpoints import Endpoints, NotRunning

# What people's scripts read (design, section 3).
CONTRACT = {
    "stripe_webhook_url",
    "fastio_webhook_url",
    "aws_endpoint_url",
    "stripe_url",
    "fastio_url",
    "inbox_url",
    "page_url",
    "stripe_webhook_secret",
    "fastio_webhook_secret",
    "stack_name",
    "ready",
}


def some_endpoints(**changes: object) -> Endpoints:
    found = Endpoints(
        page_url="http://127.0.0.1:4566/_aws/execute-api/abc/$default/order",
        stripe_webhook_url="http://127.0.0.1:4566/_aws/execute-api/abc/$default/webhook/stripe",
        fastio_webhook_url="http://127.0.0.1:4566/_aws/execute-api/abc/$default/webhook/fastio",
        aws_endpoint_url="http://127.0.0.1:4566",
        ses_url="http://127.0.0.1:4567",
        stripe_url="http://127.0.0.1:12111",
        fastio_url="http://127.0.0.1:12112",
        inbox_url="http://127.0.0.1:8025",
        stripe_webhook_secret="whsec_x",
        fastio_webhook_secret="y",
        stack_name="paidshare-local",
        secret_name="paidshare/local",
        region="us-east-1",
        outputs={"QueueUrl": "q"},
        product_ids=["prod_1"],
        fastio_workspace="bird-shop",
        fastio_files="1,2",
        stripe_is_real=False,
        fastio_is_real=False,
        logs="/logs",
        pid=os.getpid(),
    )
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]  # Any field.


class TestEndpoints:
    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        some_endpoints().write(tmp_path)

        assert Endpoints.read(tmp_path) == some_endpoints()

    def test_the_file_has_what_the_contract_promises(self, tmp_path: Path) -> None:
        some_endpoints().write(tmp_path)

        raw = json.loads((tmp_path / "endpoints.json").read_text())

        assert set(raw) >= CONTRACT
        assert raw["ready"] is True

    def test_writing_leaves_nothing_else_behind(self, tmp_path: Path) -> None:
        some_endpoints().write(tmp_path)
        some_endpoints(region="eu-central-1").write(tmp_path)

        assert [path.name for path in tmp_path.iterdir()] == ["endpoints.json"]

    def test_no_file_means_that_nothing_runs(self, tmp_path: Path) -> None:
        with pytest.raises(NotRunning, match="make local"):
            Endpoints.read(tmp_path)

    def test_a_file_of_a_crashed_system_means_that_nothing_runs(self, tmp_path: Path) -> None:
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        some_endpoints(pid=ended.pid).write(tmp_path)

        with pytest.raises(NotRunning, match="crashed"):
            Endpoints.read(tmp_path)

    @pytest.mark.parametrize("content", ["", "{}", "[]", "7"])
    def test_a_file_that_is_not_ours_is_said_to_be_not_ours(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "endpoints.json").write_text(content)

        with pytest.raises(NotRunning, match="version"):
            Endpoints.read(tmp_path)


class TestRemove:
    def test_it_can_be_removed_twice(self, tmp_path: Path) -> None:
        some_endpoints().write(tmp_path)

        endpoints.remove(tmp_path)
        endpoints.remove(tmp_path)

        assert not list(tmp_path.iterdir())
