"""
What `sam build` made, alone: the function's folder and its layer, and nothing else on the path.

MiniStack runs functions with its own packages importable behind the layer, which could hide that one is missing.
"""

import json
import subprocess
import sys
import time
from typing import Any

import pytest

from local import sale, samples
from local.aws import environs
from local.aws.deploying import BUILD
from local.settings import REGION, ROOT
from tests.stack.laptop import Laptop

# -I and -S: no site-packages, no PYTHON* variables, no folder of ours. -B: no bytecode is written either, as on
# Lambda, whose file system is read-only.
_ALONE = """
import json, os, sys
parts = sys.argv[1:]
sys.path[:0] = parts
import handler
class Context:
    function_name = "built"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:built"
    aws_request_id = "built-request"
    def get_remaining_time_in_millis(self):
        return 30_000
answers = [handler.handler(event, Context()) for event in json.load(sys.stdin)]
loaded = [m for m in list(sys.modules.values()) if (getattr(m, "__file__", None) or "").startswith(tuple(parts))]
compiled_anew = [m.__name__ for m in loaded if not os.path.exists(m.__cached__)]
print(json.dumps({"answers": answers, "loaded": len(loaded), "compiled_anew": compiled_anew}), file=sys.stderr)
"""


def run_alone(laptop: Laptop, function: str, *events: dict[str, Any]) -> dict[str, Any]:
    """Handle *events* in one process of the built *function* (Receive, Deliver), with the deployed environment."""
    configured = laptop.stack.aws.client("lambda").get_function_configuration(
        FunctionName=laptop.to.outputs[f"{function}Function"]
    )
    environ = environs.bare(
        **configured["Environment"]["Variables"],
        AWS_ENDPOINT_URL=laptop.to.aws_endpoint_url,
        AWS_ENDPOINT_URL_SESV2=laptop.to.ses_url,
        AWS_DEFAULT_REGION=REGION,
        **environs.ROOT_KEYS,
    )
    parts = [BUILD / function, BUILD / "DependenciesLayer" / "python"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", _ALONE, *map(str, parts)],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        env=environ,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return found


@pytest.fixture
def sold(laptop: Laptop) -> str:
    """The samples' order, paid at the stand-in."""
    sale.sell_sample(laptop.to)
    return samples.SESSION


def test_receive_handles_its_sample_events_with_nothing_but_its_layer(laptop: Laptop) -> None:
    signed = samples.samples(int(time.time()))
    names = ("receive-paid.json", "receive-duplicate.json", "receive-forged.json", "receive-fastio.json")

    result = run_alone(laptop, "Receive", *(signed[name] for name in names))

    assert [answer["statusCode"] for answer in result["answers"]] == [200, 200, 400, 200]
    laptop.log_line("deliver", order_id=samples.SESSION)


def test_deliver_handles_its_sample_events_with_nothing_but_its_layer(laptop: Laptop, sold: str) -> None:
    batches = samples.samples(int(time.time()))

    result = run_alone(laptop, "Deliver", batches["deliver-paid.json"], batches["deliver-two.json"])

    assert result["answers"] == [{"batchItemFailures": []}, {"batchItemFailures": []}]
    assert laptop.order_in("delivered", sold)["message_id"]
    assert len(laptop.letters_to("sample@example.com")) == 1


def test_the_artifacts_carry_bytecode_for_what_the_functions_import(laptop: Laptop) -> None:
    """Lambda's file system is read-only: what has no bytecode is compiled anew at every cold start."""
    result = run_alone(laptop, "Deliver")
    assert result["loaded"] > 300
    assert result["compiled_anew"] == []


def test_the_artifacts_hold_no_compiled_code_and_nothing_of_the_laptop(laptop: Laptop) -> None:
    built = [path for path in BUILD.rglob("*") if path.is_file()]
    assert built
    assert [path for path in built if path.suffix in (".so", ".pyd", ".dylib")] == []
    for name in ("Receive", "Deliver", "Feedback", "Sweep"):
        beside = {"handler.py", "paidshare", "__pycache__", "shop.toml", "shop"}
        assert {path.name for path in (BUILD / name).iterdir()} == beside
        source = ROOT / "functions" / name.lower() / "handler.py"
        assert (BUILD / name / "handler.py").read_text() == source.read_text()
