"""
An order's row in the Orders table ↔ `Progress`. A name in the row is what a person reads there; they stay as they are.

Times are Unix seconds. What a row of an earlier version has in halves (a letter's moment without the letter) says
nothing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from paidshare.grants import Grant, KnownShare
from paidshare.progress import LastLetter, LetterInFlight, Progress, PutOff, Said, SentLetter
from paidshare.states import Standing, State, Told
from paidshare.wishes import Answered, Ruling

type Item = dict[str, Any]
"""DynamoDB's own JSON: `{"state": {"S": "delivered"}, …}`."""


def number(moment: datetime) -> dict[str, str]:
    """DynamoDB's number of *moment* (aware)."""
    return {"N": str(int(moment.timestamp()))}


def instant(kept: dict[str, str]) -> datetime:
    """The moment (aware UTC) that `number` made *kept* of."""
    return datetime.fromtimestamp(int(kept["N"]), UTC)


def written(progress: Progress) -> dict[str, Any]:
    """Every attribute that is written from `Progress`; None for those that the row should not have."""
    share, letter, doubt = progress.share, progress.last_letter, progress.in_flight
    ruling, put_off, answered = progress.ruling, progress.put_off, progress.answered
    return {
        "state": _text(progress.state.value),
        "reason": _text(progress.reason),
        "account": _text(progress.account),
        "payment_intent": _text(progress.payment_intent),
        **_share_written(share),
        "lines": _list(progress.lines),
        "grants": {"L": [{"M": _granted(grant)} for grant in progress.grants]} if progress.grants else None,
        "delivered_at": _time(progress.delivered_at),
        "told": _text(progress.told),
        "given": _list(progress.given),
        "mailed_at": _time(letter.mailed_at if letter else None),
        "message_id": _text(letter.message_id if letter else None),
        "unsure": _flag(letter is not None and letter.unsure),
        "unheard": _flag(letter is not None and letter.unheard),
        "mailing": _text(doubt.said.kind if doubt else None),
        "mailing_lines": _list(doubt.said.lines if doubt else ()),
        "mailing_why": _text(doubt.said.why if doubt else None),
        "mailing_at": _time(doubt.at if doubt else None),
        "ruled": _text(ruling.standing.value if ruling else None),
        "ruled_at": _time(ruling.at if ruling else None),
        # Named when a link mailed once more was all that could be wished for.
        "resent": _text(answered[-1].event_id if answered else None),
        "resent_outcome": _text(answered[-1].outcome if answered else None),
        "wishes": _list(one.event_id for one in answered[:-1]),
        "put_off": _text(put_off.why if put_off else None),
        "put_off_at": _time(put_off.at if put_off else None),
        "next_end": _time(progress.next_end),
        "case_told_at": _time(progress.case_told_at),
        "seen_until": _time(progress.seen_until),
        "page_edition": {"N": str(progress.edition)} if progress.edition else None,
        "unseen": _flag(progress.unseen),
    }


def _share_written(share: KnownShare | None) -> dict[str, Any]:
    return {
        "share_id": _text(share.id if share else None),
        "share_expires_at": _time(share.ends_at if share else None),
        "closed_at": _time(share.closed_at if share else None),
        "switching": _flag(share is not None and share.switching),
        # Left out of the first generation, as every row of an earlier version has it.
        "generation": {"N": str(share.generation)} if share and share.generation else None,
        "share_gone": _flag(share is not None and share.gone),
        "spare_since": _time(share.spare_since if share else None),
        "holds": _list(share.holds if share else ()),
    }


def read(item: Item) -> Progress:
    """The row's progress, with what others write in it: SES's word, and how often it was claimed."""
    return Progress(
        state=State(item["state"]["S"]),
        reason=string(item, "reason"),
        account=string(item, "account"),
        payment_intent=string(item, "payment_intent"),
        share=_share(item),
        lines=_strings(item, "lines"),
        grants=tuple(_grant(one["M"]) for one in item["grants"]["L"]) if "grants" in item else (),
        delivered_at=moment(item, "delivered_at"),
        last_letter=_last_letter(item),
        in_flight=_in_flight(item),
        sent=_sent(item),
        ruling=_ruling(item),
        answered=_answered(item),
        put_off=_put_off(item),
        next_end=moment(item, "next_end"),
        case_told_at=moment(item, "case_told_at"),
        seen_until=moment(item, "seen_until"),
        edition=int(item["page_edition"]["N"]) if "page_edition" in item else 0,
        unseen="unseen" in item,
        first_seen_at=moment(item, "first_seen_at"),
        claims=int(item["claims"]["N"]),
    )


def _share(item: Item) -> KnownShare | None:
    if "share_id" not in item or "share_expires_at" not in item:
        return None
    return KnownShare(
        id=item["share_id"]["S"],
        ends_at=instant(item["share_expires_at"]),
        holds=_strings(item, "holds"),
        closed_at=moment(item, "closed_at"),
        switching="switching" in item,
        generation=int(item["generation"]["N"]) if "generation" in item else 0,
        gone="share_gone" in item,
        spare_since=moment(item, "spare_since"),
    )


def _last_letter(item: Item) -> LastLetter | None:
    if "told" not in item:
        return None
    mailed_at = moment(item, "mailed_at")
    return LastLetter(
        told=Told(item["told"]["S"]),
        given=_strings(item, "given"),
        mailed_at=mailed_at,
        message_id=string(item, "message_id") if mailed_at else None,
        unsure="unsure" in item,
        unheard="unheard" in item,
    )


def _in_flight(item: Item) -> LetterInFlight | None:
    if "mailing" not in item or "mailing_at" not in item:
        return None
    said = Said(item["mailing"]["S"], _strings(item, "mailing_lines"), string(item, "mailing_why"))
    return LetterInFlight(said, instant(item["mailing_at"]))


def _sent(item: Item) -> SentLetter | None:
    """SES's word, which comes through `mail_log` and is never written from here."""
    if "letter_sent_at" not in item:
        return None
    # SES's older notifications name neither the letter nor its kind.
    mark, kind = (string(item, f"letter_{name}") or None for name in ("sent_mark", "sent_kind"))
    return SentLetter(instant(item["letter_sent_at"]), mark, kind)


def _ruling(item: Item) -> Ruling | None:
    if "ruled" not in item or "ruled_at" not in item:
        return None
    return Ruling(Standing(item["ruled"]["S"]), instant(item["ruled_at"]))


def _answered(item: Item) -> tuple[Answered, ...]:
    if "resent" not in item:
        return ()
    last = Answered(item["resent"]["S"], string(item, "resent_outcome"))
    return (*(Answered(one) for one in _strings(item, "wishes")), last)


def _put_off(item: Item) -> PutOff | None:
    if "put_off" not in item or "put_off_at" not in item:
        return None
    return PutOff(item["put_off"]["S"], instant(item["put_off_at"]))


def _granted(grant: Grant) -> Item:
    written = {
        "line": {"S": grant.line},
        "until": number(grant.until),
        "workspace": {"S": grant.workspace},
        "nodes": {"L": [{"S": node} for node in grant.nodes]},
    }
    also = {"closed_at": grant.closed_at, "access_until": grant.access_until}
    return written | {name: number(at) for name, at in also.items() if at is not None}


def _grant(item: Item) -> Grant:
    return Grant(
        line=item["line"]["S"],
        until=instant(item["until"]),
        workspace=item["workspace"]["S"],
        nodes=tuple(one["S"] for one in item["nodes"]["L"]),
        closed_at=moment(item, "closed_at"),
        access_until=moment(item, "access_until"),
    )


def _text(value: str | None) -> Item | None:
    return None if value is None else {"S": value}


def _time(value: datetime | None) -> Any:
    return None if value is None else number(value)


def _list(values: Iterable[str]) -> Item | None:
    texts = [{"S": one} for one in values]
    return {"L": texts} if texts else None


def _flag(value: bool) -> Item | None:  # noqa: FBT001
    return {"BOOL": True} if value else None


def string(item: Item, name: str) -> str | None:
    """The text of that *name*, None without it."""
    return item[name]["S"] if name in item else None


def _strings(item: Item, name: str) -> tuple[str, ...]:
    return tuple(one["S"] for one in item[name]["L"]) if name in item else ()


def moment(item: Item, name: str) -> datetime | None:
    """The moment (aware UTC) of that *name*, None without it."""
    return instant(item[name]) if name in item else None
