"""What a purchase story is: steps at Stripe, and what must hold in the end. The stories are in `every.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from paidshare.settings import Policy
from paidshare.states import Kind, State, Why

type Put = Callable[[str], tuple[str, list[str]]]
"""Puts a file at a path into the seller's workspace → its node id, and those of its folders, outermost first."""


@dataclass(frozen=True, slots=True)
class Product:
    """
    Something that the stories' seller sells, in cents. `files` are delivered each by name, `folder` (paths in one
    folder) by the folder's; without either it is not ours.
    """

    name: str
    price: int
    files: tuple[str, ...] = ()
    folder: tuple[str, ...] = ()

    def metadata(self, workspace: str, put: Put) -> dict[str, str]:
        nodes = [put(path)[0] for path in self.files]
        nodes += list(dict.fromkeys(put(path)[1][-1] for path in self.folder))
        return {"fastio_workspace": workspace, "fastio_files": ",".join(nodes)} if nodes else {"colour": "blue"}


@dataclass(frozen=True, slots=True)
class Step:
    """
    Something that happens at Stripe: a control route of the stand-in, or a path of Stripe's API for what only the
    seller does. `of` are the fields that name what an earlier step made, such as `session`: the latest one.

    `letters` are due after it.
    """

    route: str
    of: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    letters: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How one order ends: its state in the ledger, and the names of the files that the link opens; None when there is no
    link, or it is dead. `of` is `session`, `invoice`, or `second invoice`.
    """

    of: str
    state: State
    why: Why | None = None
    files: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """
    One purchase. `name` is for tests and addresses, `happens` for people. `policy` are the seller's choices where they
    are not the default, and `connected_accounts` whether such are allowed. `person` is why somebody is asked.
    """

    name: str
    chapter: str
    happens: str
    steps: tuple[Step, ...]
    endings: tuple[Ending, ...]
    policy: Mapping[str, Any] = field(default_factory=dict)
    connected_accounts: bool = False
    person: str | None = None

    @property
    def is_default(self) -> bool:
        """Whether the template's default parameters are the story's."""
        return not self.policy and not self.connected_accounts

    @property
    def choices(self) -> Policy:
        return Policy(**({"livemode": False, "link_days": 7} | dict(self.policy)))

    @property
    def account(self) -> str | None:
        """The connected account that sells."""
        return next((step.fields["account"] for step in self.steps if "account" in step.fields), None)

    @property
    def letters(self) -> tuple[Kind, ...]:
        return tuple(kind for step in self.steps for kind in step.letters)


class Telling:
    """A story on its way through a stand-in. `ids` are what its steps made, in order, by what they name."""

    def __init__(self, story: Story, products: Mapping[str, str], *, email: str) -> None:
        self.story = story
        self.ids: dict[str, list[str]] = {}
        self._products = products
        self._email = email

    def request(self, step: Step) -> tuple[str, dict[str, Any]]:
        """The path to post to, and what."""
        body = dict(step.fields) | {name: self.ids[name][-1] for name in step.of}
        if "product" in body:
            body["product"] = self._products[body["product"]]
        for sold in ("products", "once_products"):
            if sold in body:
                body[sold] = [self._products[name] for name in body[sold]]
        if step.route in ("/_pay", "/_invoice"):
            body["email"] = self._email
        return step.route.format(**{name: found[-1] for name, found in self.ids.items()}), body

    def learn(self, answer: Mapping[str, Any]) -> None:
        """What the step made."""
        for name in ("session", "invoice", "subscription", "charge", "refund", "dispute", "warning"):
            if (made := answer.get(name)) and made not in self.ids.setdefault(name, []):
                self.ids[name].append(made)

    def order_id(self, ending: Ending) -> str:
        kind = ending.of.removeprefix("second ")
        return self.ids[kind][1 if kind != ending.of else 0]
