"""`sam build` and `sam deploy` of the real template, and the stack that comes out of it."""

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.aws import environs, mending
from local.aws.ministack import Aws
from local.hosting import processes
from local.hosting.processes import PartFailed
from local.settings import REGION, ROOT, STACK_NAME, TOOLS

SAM = TOOLS / "sam" / "bin" / "sam"
BUILD = ROOT / ".aws-sam" / "build"
# Inside the folder that `sam build` empties before it begins: whoever builds otherwise takes the mark away too.
_MARK = BUILD / ".built-from"


@contextlib.contextmanager
def built(logs: Path) -> Iterator[Path]:
    """
    The built template, as new as its sources; the block may rely on nobody else of us building meanwhile.

    Does nothing when nothing has changed. Raises PartFailed.
    """
    BUILD.parent.mkdir(exist_ok=True)
    with (BUILD.parent / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = fingerprint()
        if not _MARK.exists() or _MARK.read_text() != sources:
            processes.run(
                "sam build",
                [str(SAM), "build", "--cached", "--parallel", "--template-file", str(ROOT / "template.yaml")],
                log=logs / "sam-build.log",
                environ=environs.building(),
            )
            _MARK.write_text(sources)
        # From here on others may read as well: several stacks can be deployed from one build.
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield BUILD / "template.yaml"


def deploy(template: Path, parameters: Mapping[str, str], *, aws: Aws, logs: Path) -> dict[str, str]:
    """Deploy *template* into *aws*; its outputs. Raises PartFailed."""
    processes.run(
        "sam deploy",
        [
            str(SAM),
            "deploy",
            *("--template-file", str(template)),
            *("--stack-name", STACK_NAME),
            *("--region", REGION),
            *("--capabilities", "CAPABILITY_IAM"),
            "--resolve-s3",
            "--no-confirm-changeset",
            "--no-progressbar",
            "--parameter-overrides",
            *(f"{name}={value}" for name, value in parameters.items()),
        ],
        log=logs / "sam-deploy.log",
        environ=environs.deploying(aws.url),
    )
    stack = aws.cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise PartFailed("sam deploy", f"the stack is {stack['StackStatus']}", log=logs / "sam-deploy.log")
    mending.mend(aws)
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def fingerprint() -> str:
    """Changes whenever anything that `sam build` reads does."""
    seen = hashlib.sha256()
    sources = [ROOT / "template.yaml", ROOT / "samconfig.toml"]
    for folder in ("functions", "layers", "shop"):
        sources += sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())
    for path in sources:
        if "__pycache__" not in path.parts:
            content = path.read_bytes() if path.exists() else b""
            seen.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode())
            seen.update(content)
    return seen.hexdigest()
