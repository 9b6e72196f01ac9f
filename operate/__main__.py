"""
What an operator does to a deployed stack, with the AWS credentials and region of the shell.

`redrive` and `look` can do no harm: they ask for another look at an order, and a look only takes the steps that are
missing. `resend` mails again what was mailed before, and `dismiss` ends a case that nobody will mend; both ask first.
"""

import sys

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from operate import cases, orders
from operate.audit import audit
from operate.options import Refused
from operate.printing import aside
from operate.stacks import StackUnknown
from paidshare.aws import summary
from paidshare.errors import QueueUnavailable

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, rich_markup_mode=None, pretty_exceptions_enable=False
)
for _command in (cases.dead, cases.redrive, cases.dismiss, orders.look, orders.resend, orders.show, audit):
    app.command()(_command)


def main(arguments: list[str] | None = None) -> int:
    """Exits with 0 when all that was asked for is done, 2 when the question is wrong, else 1."""
    try:
        app(arguments)
    except NoCredentialsError:
        aside("✗ no AWS credentials in this shell: set AWS_PROFILE, or log in", "red")
    except NoRegionError:
        aside("✗ no AWS region in this shell: set AWS_REGION", "red")
    except ClientError as exc:
        # To the operator alone, and of calls that carry nobody's data: AWS's own words may be shown.
        aside(f"✗ {summary('AWS', exc)}: {exc.response.get('Error', {}).get('Message', '')}", "red")
    except (StackUnknown, Refused, QueueUnavailable, BotoCoreError) as exc:
        aside(f"✗ {exc}", "red")
    return 1


if __name__ == "__main__":
    sys.exit(main())
