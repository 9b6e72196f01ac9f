"""
Make the pictures of docs/cli: what the operator's commands print on a terminal, on a shop of this machine.

From an empty secret: `init`, a purchase, `status`, `why`, `doctor`. Each is one SVG with real text in it. Starts the
laptop's system by itself; `python -m scripts.record`.
"""

import io
import json
import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from local.settings import FASTIO_API_KEY, STRIPE_API_KEY
from local.stack import Stack, running

_ROOT = Path(__file__).resolve().parents[1]
_PICTURES = _ROOT / "docs" / "cli"
_COLUMNS = 100
_EMPTY = {"stripe_api_key": "", "stripe_webhook_secrets": [], "fastio_api_key": "", "fastio_webhook_secrets": []}


def main(into: Annotated[Path, typer.Option(help="The folder of the pictures.")] = _PICTURES) -> None:
    """Make them all."""
    with running() as stack:
        emptied(stack)
        # Its usual way to the webhook, which is no endpoint that a seller has.
        httpx.post(f"{stack.endpoints.stripe_url}/_webhook", json={"url": None}).raise_for_status()
        given = json.dumps({"stripe_api_key": STRIPE_API_KEY, "fastio_api_key": FASTIO_API_KEY})
        picture(into / "init.svg", f"{_words('init')} < keys.json", "init", given=given)
        picture(into / "try.svg", _words("try"), "try", "--to", "ada@example.com")
        for name, words in (("status", ()), ("why", ("ada@example.com",)), ("products", ()), ("secrets", ())):
            picture(into / f"{name}.svg", _words(name, *words), name, *words)
        _unsaid(stack)
        picture(into / "doctor.svg", _words("doctor"), "doctor")


def emptied(stack: Stack) -> None:
    """As the template leaves the secret, and Stripe without an endpoint of ours."""
    secret = {**json.loads(stack.aws.secrets.get_secret_value(SecretId=_secret(stack))["SecretString"]), **_EMPTY}
    stack.aws.secrets.put_secret_value(SecretId=_secret(stack), SecretString=json.dumps(secret))


def picture(file: Path, title: str, *words: str, given: str = "") -> None:
    """What the command prints, as SVG."""
    said = printed([str(_ROOT / ".venv" / "bin" / "paidshare"), *words, "--env", "laptop"], given)
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(said.replace("\r\n", "\n").rstrip()))
    # Without its own fonts, which would be fetched from elsewhere.
    file.write_text(console.export_svg(title=title, unique_id=file.stem, code_format=_bare()))
    print(file.relative_to(_ROOT) if file.is_relative_to(_ROOT) else file, flush=True)


def printed(command: list[str], given: str) -> str:
    """Both streams, as a terminal shows them. Whether it succeeds is its own affair: a shop may have troubles."""
    terminal, side = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(_COLUMNS), "TERM": "xterm-256color", "STRIPE_API_KEY": STRIPE_API_KEY}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=side, stderr=side, env=environ, text=True) as process:
        os.close(side)
        if process.stdin:
            process.stdin.write(given)
            process.stdin.close()
        parts = []
        while part := _read(terminal):
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # As Linux says that nobody writes there any more.
        return b""


def _unsaid(stack: Stack) -> None:
    """Something for `doctor` to find: a product whose metadata is misspelt."""
    metadata = {"metadata[fast_io_files]": "4c1f2-90ab1", "metadata[fastio_workspace]": "bird-shop"}
    headers = {"authorization": f"Bearer {STRIPE_API_KEY}"}
    form = {"name": "Bird songs (MP3)"} | metadata
    httpx.post(f"{stack.endpoints.stripe_url}/v1/products", data=form, headers=headers).raise_for_status()


def _bare() -> str:
    """Rich's picture of a terminal without its fonts, which a reader's browser would have to fetch from elsewhere."""
    return re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def _words(*words: str) -> str:
    return " ".join(("paidshare", *words))


def _secret(stack: Stack) -> str:
    return stack.endpoints.secret_name


if __name__ == "__main__":
    typer.run(main)
