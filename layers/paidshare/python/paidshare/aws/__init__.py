"""AWS: queues, tables, letters, the secret. Others import what is named here, and not the modules."""

from typing import TYPE_CHECKING

from paidshare import door

if TYPE_CHECKING:
    from paidshare.aws.checkpoint import DynamoCheckpoint
    from paidshare.aws.dead_letters import Case, DeadLetter, DeadLetters, forgotten_soon
    from paidshare.aws.direct.connection import Patience
    from paidshare.aws.direct.json_client import client
    from paidshare.aws.direct.roots import everybody_s, sharing
    from paidshare.aws.errors import is_condition_failed, summary
    from paidshare.aws.intake import SqsIntake
    from paidshare.aws.ledger import DynamoLedger
    from paidshare.aws.mail_log import DynamoMailLog
    from paidshare.aws.mailer import SesMailer
    from paidshare.aws.messages import SqsMessages, age
    from paidshare.aws.metrics import Tally, count, count_each
    from paidshare.aws.order_index import DynamoOrderIndex
    from paidshare.aws.received import DynamoPurchases, DynamoReceived
    from paidshare.aws.reconcile_queue import SqsReconcileQueue
    from paidshare.aws.rows import number
    from paidshare.aws.vault import SecretsManagerVault

__all__ = [
    "Case",
    "DeadLetter",
    "DeadLetters",
    "DynamoCheckpoint",
    "DynamoLedger",
    "DynamoMailLog",
    "DynamoOrderIndex",
    "DynamoPurchases",
    "DynamoReceived",
    "Patience",
    "SecretsManagerVault",
    "SesMailer",
    "SqsIntake",
    "SqsMessages",
    "SqsReconcileQueue",
    "Tally",
    "age",
    "client",
    "count",
    "count_each",
    "everybody_s",
    "forgotten_soon",
    "is_condition_failed",
    "number",
    "sharing",
    "summary",
]

if not TYPE_CHECKING:
    __getattr__ = door(
        __name__,
        {
            "DynamoCheckpoint": "checkpoint",
            "Patience": "direct.connection",
            "DeadLetters": "dead_letters",
            "DeadLetter": "dead_letters",
            "Case": "dead_letters",
            "forgotten_soon": "dead_letters",
            "summary": "errors",
            "count": "metrics",
            "count_each": "metrics",
            "Tally": "metrics",
            "is_condition_failed": "errors",
            "SqsIntake": "intake",
            "client": "direct.json_client",
            "DynamoLedger": "ledger",
            "DynamoMailLog": "mail_log",
            "SesMailer": "mailer",
            "SqsMessages": "messages",
            "age": "messages",
            "DynamoOrderIndex": "order_index",
            "DynamoPurchases": "received",
            "DynamoReceived": "received",
            "SqsReconcileQueue": "reconcile_queue",
            "everybody_s": "direct.roots",
            "sharing": "direct.roots",
            "number": "rows",
            "SecretsManagerVault": "vault",
        },
    )
