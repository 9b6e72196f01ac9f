"""Secrets Manager's law: the secret as it was last written, or no answer."""

import json
from typing import Any

from simulation.aws.errors import refused, tried, unanswered
from simulation.keys import Keys
from simulation.outside import Outside


class SecretsManager:
    """What boto3's client of Secrets Manager is asked for, tried *attempts* times."""

    def __init__(self, outside: Outside, keys: Keys, *, attempts: int) -> None:
        self._outside = outside
        self._keys = keys
        self._attempts = attempts

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            return self._outside.call(
                "Secrets Manager",
                f"GetSecretValue {SecretId}",
                lambda: {"SecretString": json.dumps(self._keys.secret)},
                refused=lambda: refused("ThrottlingException", "GetSecretValue"),
                lost=lambda: unanswered("Secrets Manager"),
                patience=4.0,
            )

        return tried(self._attempts, call)
