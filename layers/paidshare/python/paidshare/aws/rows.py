"""
An order's row in the Orders table ↔ `Progress`. A name in the row is what a person reads there; they stay as they are.

Times are Unix seconds. What a row of an earlier version has in halves (a letter's moment without the letter) says
nothing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from paidshare.grants import Grant, KnownShare
from paidshare.progress import LastLetter, LetterInFlight, Progress, Said, SentLetter
from paidshare.retries import Late, PutOff
from paidshare.states import Standing, State, Told
from paidshare.wishes import Answered, Correction, Refused, Ruling

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
    letter, doubt, ruling, answered = progress.last_letter, progress.in_flight, progress.ruling, progress.answered
    return {
        "state": _text(progress.state.value),
        "reason": _text(progress.reason),
        "account": _text(progress.account),
        "payment_intent": _text(progress.payment_intent),
        **_share_written(progress.share),
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
        **_written_correction(progress.correction),
        "twice_of": _text(progress.twice_of),
        **_written_delays(progress.put_off, progress.late),
        "next_end": _time(progress.next_end),
        "case_told_at": _time(progress.case_told_at),
        "seen_until": _time(progress.seen_until),
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
        correction=_correction(item),
        twice_of=string(item, "twice_of"),
        put_off=_put_off(item),
        late=_late(item),
        next_end=moment(item, "next_end"),
        case_told_at=moment(item, "case_told_at"),
        seen_until=moment(item, "seen_until"),
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
    # SES's older notifications name neither the letter nor its kind.
    mark, kind = (string(item, f"letter_{name}") or None for name in ("sent_mark", "sent_kind"))
    at = moment(item, "letter_sent_at")
    return None if at is None else SentLetter(at, mark, kind)


def _ruling(item: Item) -> Ruling | None:
    ruled, at = string(item, "ruled"), moment(item, "ruled_at")
    return Ruling(Standing(ruled), at) if ruled and at else None


def _answered(item: Item) -> tuple[Answered, ...]:
    if "resent" not in item:
        return ()
    last = Answered(item["resent"]["S"], string(item, "resent_outcome"))
    return (*(Answered(one) for one in _strings(item, "wishes")), last)


def _written_correction(correction: Correction | None) -> dict[str, Any]:
    return {
        "corrected_at": _time(correction.at if correction else None),
        "corrected_to": _text(correction.to if correction else None),
        "correction_refused": _text(correction.refused if correction else None),
        "withdrawing": _flag(correction is not None and correction.withdrawing),
    }


def _correction(item: Item) -> Correction | None:
    if (at := moment(item, "corrected_at")) is None:
        return None
    refused = string(item, "correction_refused")
    return Correction(at, string(item, "corrected_to"), Refused(refused) if refused else None, "withdrawing" in item)


def _put_off(item: Item) -> PutOff | None:
    why, at = string(item, "put_off"), moment(item, "put_off_at")
    return None if why is None or at is None else PutOff(why, at)


def _written_delays(put_off: PutOff | None, late: Late | None) -> dict[str, Any]:
    return {
        "put_off": _text(put_off.why if put_off else None),
        "put_off_at": _time(put_off.at if put_off else None),
        "late_since": _time(late.since if late else None),
        "late_told_at": _time(late.told_at if late else None),
        "late_message_id": _text(late.message_id if late else None),
    }


def _late(item: Item) -> Late | None:
    since = moment(item, "late_since")
    return None if since is None else Late(since, moment(item, "late_told_at"), string(item, "late_message_id"))


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
    until, nodes = instant(item["until"]), tuple(one["S"] for one in item["nodes"]["L"])
    ends = (moment(item, "closed_at"), moment(item, "access_until"))
    return Grant(item["line"]["S"], until, item["workspace"]["S"], nodes, *ends)


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
