"""The letters that the laptop's SES was given, newest last."""

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx


@dataclass(frozen=True, slots=True)
class Letter:
    """`at` is in Unix seconds."""

    id: str
    to: tuple[str, ...]
    sender: str
    subject: str
    text: str
    html: str
    at: float

    @property
    def when(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


def sent(aws_url: str) -> list[Letter]:
    """Every letter. Raises httpx.HTTPError when the laptop's AWS does not answer."""
    answer = httpx.get(f"{aws_url}/_ministack/ses/messages", timeout=10, trust_env=False)
    answer.raise_for_status()
    every = [
        Letter(
            id=raw["MessageId"],
            to=tuple(raw["To"]),
            sender=raw["Source"],
            subject=raw["Subject"],
            text=raw["BodyText"] or "",
            html=raw["BodyHtml"] or "",
            at=float(raw["Timestamp"]),
        )
        for account in answer.json()["messages"].values()
        for raw in account
    ]
    return sorted(every, key=lambda letter: letter.at)
