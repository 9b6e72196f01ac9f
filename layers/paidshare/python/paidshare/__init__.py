"""
Paid on Stripe, delivered from Fast.io.

The flow: `receiving` turns a verified webhook into a small notice on a queue; `delivering` takes the notice, claims the
order in the ledger, fetches the truth from Stripe, decides what the buyer should have and takes the steps that are
missing. `feedback` hears what became of the letters; `sweeping` finds what no event told of. An event only ever says
“look at this order again”.

`aws`, `payments_stripe` and `shares_fastio` are the providers, each behind one door. What lies beside them here are the
values and rules that all share. docs/architecture.md draws it.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def door(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """
    The `__getattr__` of a provider's *package* (PEP 562), which shows its names in one place, and loads the module of
    each when that is first asked for: *modules* has the module that each name is in.

    A function's cold start pays for what it uses alone: Receive, say, for one adapter of ten.
    """

    def found(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return found
