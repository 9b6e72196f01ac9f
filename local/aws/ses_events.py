"""
What MiniStack's SES v2 leaves out, in front of it: tags, configuration sets, and the events that come of a letter.

Deliver's SES client talks to this: boto3 takes its address from the environment, which functions have from MiniStack.
Everything goes on to MiniStack as it came, and MiniStack judges it. A letter with a configuration set that does not
exist is refused, as SES does; what became of the others is published to the topics of their set's event destinations.
Who gets what is decided as by SES's own mailbox simulator
(docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html); any other address takes its letter.
"""

import json
import ssl
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws.ministack import Aws

SIMULATOR = "simulator.amazonses.com"

_SEND = "/v2/email/outbound-emails"
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
# What SES says of a letter to these names at the simulator, after `Send`.
_OUTCOMES = {"bounce": ("Bounce",), "suppressionlist": ("Bounce",), "complaint": ("Delivery", "Complaint")}
# httpx has unpacked the answer, and the server measures it anew.
_NOT_PASSED_ON = {"content-encoding", "content-length", "transfer-encoding", "connection", "date", "server"}


def ses_app(of: Callable[[], Aws]) -> Starlette:
    """SES v2 over the AWS *of* which it is, with events. That AWS is first asked for with the first letter."""
    # For every letter anew httpx would read the system's certificates, and nothing here speaks TLS.
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def destinations(configuration_set: str) -> list[dict[str, Any]]:
        """Raises NotFoundException."""
        answer = of().ses.get_configuration_set_event_destinations(ConfigurationSetName=configuration_set)
        return [dict(one) for one in answer.get("EventDestinations", [])]

    def publish(letter: dict[str, Any], message_id: str, to: list[dict[str, Any]]) -> None:
        for event in events(letter, message_id, at=datetime.now(UTC)):
            for one in to:
                if one["Enabled"] and event["eventType"].upper() in one["MatchingEventTypes"]:
                    of().sns.publish(TopicArn=one["SnsDestination"]["TopicArn"], Message=json.dumps(event))

    async def passed_on(request: Request) -> Response:
        body = await request.body()
        letter = json.loads(body) if (request.method, request.url.path) == ("POST", _SEND) else {}
        told: list[dict[str, Any]] = []
        if wanted := letter.get("ConfigurationSetName"):
            try:
                told = await run_in_threadpool(destinations, wanted)
            except of().ses.exceptions.NotFoundException:
                return _refused(wanted)
        url = f"{of().url}{request.url.path}?{request.url.query}".rstrip("?")
        async with httpx.AsyncClient(timeout=30, verify=no_tls, trust_env=False) as http:
            answer = await http.request(request.method, url, headers=request.headers.raw, content=body)
        response = Response(
            answer.content,
            answer.status_code,
            {name: value for name, value in answer.headers.items() if name not in _NOT_PASSED_ON},
        )
        if told and answer.status_code == 200:
            response.background = BackgroundTask(publish, letter, answer.json()["MessageId"], told)
        return response

    return Starlette(routes=[Route("/{path:path}", passed_on, methods=_METHODS)])


def events(letter: dict[str, Any], message_id: str, *, at: datetime) -> list[dict[str, Any]]:
    """What SES publishes of *letter* (SendEmail's request), in order; *at* is when it was sent."""
    [to] = letter["Destination"]["ToAddresses"]
    name, _, domain = to.partition("@")
    outcomes = _OUTCOMES.get(name.partition("+")[0], ("Delivery",)) if domain == SIMULATOR else ("Delivery",)
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    tags = {tag["Name"]: [tag["Value"]] for tag in letter.get("EmailTags", [])}
    subject = letter["Content"]["Simple"]["Subject"]["Data"]
    headers = {"From": letter["FromEmailAddress"], "To": to, "Subject": subject}
    mail = {
        "timestamp": moment,
        "source": letter["FromEmailAddress"],
        "messageId": message_id,
        "destination": [to],
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "commonHeaders": {"from": [headers["From"]], "to": [to], "subject": subject, "messageId": message_id},
        "tags": {"ses:configuration-set": [letter["ConfigurationSetName"]], **tags},
    }
    return [{"eventType": kind, "mail": mail, **_detail(kind, to, moment)} for kind in ("Send", *outcomes)]


def _detail(kind: str, to: str, moment: str) -> dict[str, Any]:
    feedback = {"timestamp": moment, "feedbackId": str(uuid.uuid4())}
    match kind:
        case "Bounce":
            who = {"emailAddress": to, "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1"}
            bounce = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [who]}
            return {"bounce": bounce | feedback}
        case "Complaint":
            complaint = {"complainedRecipients": [{"emailAddress": to}], "complaintFeedbackType": "abuse"}
            return {"complaint": complaint | feedback}
        case "Delivery":
            return {"delivery": {"timestamp": moment, "recipients": [to], "smtpResponse": "250 ok"}}
        case _:
            return {"send": {}}


def _refused(configuration_set: str) -> Response:
    return JSONResponse(
        {"message": f"Configuration set <{configuration_set}> does not exist."},
        404,
        {"x-amzn-errortype": "NotFoundException"},
    )
