"""Which events the front door took: `ports.Received` on what Powertools' idempotency remembers of `aws.intake`."""

import time
from typing import TYPE_CHECKING

from paidshare.aws.errors import AWS_ERRORS, summary
from paidshare.aws.idempotency import IdempotencyItemNotFoundError
from paidshare.aws.intake import KEY_PREFIX, idempotency
from paidshare.aws.remembered import Remembered
from paidshare.errors import LedgerUnavailable
from paidshare.notices import Notice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoReceived:
    """Over the Events table. One that is still in progress was not taken: its sender comes again, or it crashed."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._layer = Remembered(dynamodb, table, clock=time.time)
        self._layer.configure(idempotency(), key_prefix=KEY_PREFIX)

    def __call__(self, notice: Notice) -> bool:
        try:
            record = self._layer.get_record({"key": notice.key})
        except IdempotencyItemNotFoundError:
            return False
        except AWS_ERRORS as exc:
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        return record is not None and record.status == "COMPLETED"
