"""AWS: queues, tables, letters, the secret. Others import what is named here, and not the modules."""

from typing import TYPE_CHECKING

from paidshare import lazy

if TYPE_CHECKING:
    from paidshare.aws.checkpoint import DynamoBookmark
    from paidshare.aws.dead_letters import Case, DeadLetter, DeadLetters, forgotten_soon
    from paidshare.aws.errors import code, summary
    from paidshare.aws.intake import SqsIntake
    from paidshare.aws.ledger import DynamoLedger
    from paidshare.aws.mail_log import DynamoMailLog
    from paidshare.aws.mailer import SesMailer
    from paidshare.aws.messages import SqsMessages
    from paidshare.aws.metrics import count
    from paidshare.aws.order_index import DynamoOrders
    from paidshare.aws.received import DynamoReceived
    from paidshare.aws.reconcile_queue import SqsLooks
    from paidshare.aws.times import number
    from paidshare.aws.vault import SecretsManagerVault

__all__ = [
    "Case",
    "DeadLetter",
    "DeadLetters",
    "DynamoBookmark",
    "DynamoLedger",
    "DynamoMailLog",
    "DynamoOrders",
    "DynamoReceived",
    "SecretsManagerVault",
    "SesMailer",
    "SqsIntake",
    "SqsLooks",
    "SqsMessages",
    "code",
    "count",
    "forgotten_soon",
    "number",
    "summary",
]

if not TYPE_CHECKING:
    __getattr__ = lazy.door(
        __name__,
        {
            "DynamoBookmark": "checkpoint",
            "DeadLetters": "dead_letters",
            "DeadLetter": "dead_letters",
            "Case": "dead_letters",
            "forgotten_soon": "dead_letters",
            "summary": "errors",
            "count": "metrics",
            "code": "errors",
            "SqsIntake": "intake",
            "DynamoLedger": "ledger",
            "DynamoMailLog": "mail_log",
            "SesMailer": "mailer",
            "SqsMessages": "messages",
            "DynamoOrders": "order_index",
            "DynamoReceived": "received",
            "SqsLooks": "reconcile_queue",
            "number": "times",
            "SecretsManagerVault": "vault",
        },
    )
