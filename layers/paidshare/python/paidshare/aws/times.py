"""Moments as the tables keep them: whole Unix seconds, so that a person can read and sort them."""

from datetime import UTC, datetime


def number(moment: datetime) -> dict[str, str]:
    """DynamoDB's number of *moment* (aware)."""
    return {"N": str(int(moment.timestamp()))}


def instant(kept: dict[str, str]) -> datetime:
    """The moment (aware UTC) that `number` made *kept* of."""
    return datetime.fromtimestamp(int(kept["N"]), UTC)
