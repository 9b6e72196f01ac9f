"""
Look after a deployed Paidshare, with the AWS credentials and region of the shell.

What is found goes to standard output, as words or with --json as JSON (docs/cli/); what is said about it to standard
error. Commands that change something ask first, and without a terminal want --yes. All of it may be said again: a wish
is fulfilled once, and a look only takes the steps that are missing.

Exit codes: 0 good, 1 something is wrong with the shop, 2 the question makes no sense here, 3 it could not be found out.
"""

import sys
from collections.abc import Callable
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from operate import cases, redriving, stories, wishing
from operate.answers import Answer, Code, Refused
from operate.audits import replaying
from operate.audits.auditing import audit
from operate.doctoring import doctor
from operate.goods import selling
from operate.live.assistant import mcp
from operate.live.watching import watch
from operate.options import Commands, answered, of_a_stack
from operate.printing import aside
from operate.setup import keyring
from operate.setup.beginning import init
from operate.setup.trying import try_
from operate.status import status
from paidshare.aws import summary
from paidshare.errors import PaidshareError

_STYLE: Any = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}

app = typer.Typer(no_args_is_help=True, help=__doc__, **_STYLE)
for _command in (
    status,
    doctor,
    stories.why,
    stories.evidence,
    wishing.resend,
    wishing.extend,
    wishing.end,
    wishing.hold,
    wishing.restore,
    wishing.look,
    cases.dead,
    redriving.redrive,
    cases.dismiss,
    replaying.replay,
):
    app.command()(of_a_stack(_command))
app.command()(answered(audit))
app.command()(answered(init))
app.command("try")(of_a_stack(try_))
app.command()(of_a_stack(watch))
app.command()(mcp)
_GROUPS: dict[tuple[str, str], dict[str, Callable[..., Answer]]] = {
    ("products", "What Stripe's products deliver; `link` has them say so."): {
        "list": selling.listed,
        "link": selling.link,
    },
    ("secrets", "The keys that the shop works with: what is there, put in and rotated."): {
        "status": keyring.status,
        "set": keyring.set_,
        "rotate": keyring.rotate,
    },
}
for (_name, _help), _commands in _GROUPS.items():
    _below = typer.Typer(cls=Commands, help=_help, **_STYLE)
    for _called, _do in _commands.items():
        _below.command(_called)(of_a_stack(_do))
    app.add_typer(_below, name=_name)


def main(arguments: list[str] | None = None) -> int:
    """Raises SystemExit with the command's `Code`, or returns it."""
    try:
        app(arguments, prog_name="paidshare")
    except Refused as exc:
        aside(f"✗ {exc}", "red")
        return exc.code
    except NoCredentialsError:
        aside("✗ no AWS credentials in this shell: set AWS_PROFILE, or log in", "red")
    except NoRegionError:
        aside("✗ no AWS region in this shell: set AWS_REGION", "red")
    except ClientError as exc:
        # To the operator alone, and of calls that carry nobody's data: AWS's own words may be shown.
        aside(f"✗ {summary('AWS', exc)}: {exc.response.get('Error', {}).get('Message', '')}", "red")
    except (PaidshareError, BotoCoreError) as exc:
        aside(f"✗ {exc}", "red")
    return Code.NOT_KNOWN


if __name__ == "__main__":
    sys.exit(main())
