"""What the laptop's commands print."""

from rich.console import Console
from rich.text import Text

from local.hosting.endpoints import Endpoints
from local.hosting.processes import PartFailed
from local.paying import Outcome

out = Console()


errors = Console(stderr=True)


def report(outcome: Outcome, *, as_json: bool) -> None:
    facts = outcome.facts()
    if as_json:
        out.print_json(data=facts)
        return
    told = facts.pop("events")
    show({name.replace("_", " "): str(value) for name, value in facts.items() if value is not None})
    for kind, answer in told.items():
        show({"told": f"{answer}  {kind}"})
    if outcome.letter is None:
        show({"letter": "none came, and none was due"})


def addresses(of: Endpoints) -> dict[str, str]:
    return {
        "Stripe webhook": of.stripe_webhook_url,
        "Fast.io webhook": of.fastio_webhook_url,
        "inbox": of.inbox_url,
        "Stripe": of.stripe_url,
        "Fast.io": of.fastio_url,
        "AWS": of.aws_endpoint_url,
        "to sell": f"fastio_workspace={of.fastio_workspace} fastio_files={of.fastio_files}",
        "logs": of.logs,
    }


def show(rows: dict[str, str]) -> None:
    for name, value in rows.items():
        # Whole, however narrow the terminal: these are to be copied.
        out.print(Text.assemble((f"  {name:<16}", "dim"), value), soft_wrap=True)


def say_what_failed(exc: PartFailed) -> None:
    errors.print(f"✗ {exc.part}: {exc.why}", style="red", markup=False, highlight=False, soft_wrap=True)
    for line in exc.last_lines():
        errors.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
    if exc.log:
        errors.print(f"  The whole log: {exc.log}", markup=False, highlight=False, soft_wrap=True)
