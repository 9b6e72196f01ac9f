"""Brings the whole system up, and down again: AWS, both stand-ins, the deployed template, the inbox."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from local import sale, seeds
from local.aws import deploying, letters
from local.aws.letters import Letter
from local.aws.ministack import Aws, ministack
from local.aws.ses_events import ses_app
from local.aws.waking import wake
from local.hosting import endpoints
from local.hosting.endpoints import Endpoints
from local.hosting.processes import PartFailed
from local.hosting.services import Services, described, services
from local.hosting.serving import serving
from local.settings import (
    ALARM_EMAIL,
    HOME,
    LINK_DAYS,
    REGION,
    SECRET_NAME,
    SENDER,
    STACK_NAME,
    STAGE,
    Keys,
)
from local.showing import Progress


@dataclass(frozen=True, slots=True)
class Stack:
    """A running system. Everything of it answers at `endpoints`; `aws` has boto3 clients with the root's keys."""

    endpoints: Endpoints
    aws: Aws
    home: Path
    _services: Services
    _keys: Keys

    def letters(self) -> list[Letter]:
        """Every letter that was sent, newest last."""
        return letters.sent(self.aws.url)

    def deployed_anew(self, template: Path | None = None, /, **parameters: str) -> "Stack":
        """
        As `sam deploy` leaves it, of *template* (the built one unless given), with *parameters* beside the usual ones.

        Stripe is told where its webhook is. This one counts no more. Raises PartFailed.
        """
        wanted = _parameters(self._services, self.aws) | parameters
        outputs = _deployed(self.aws, self.home / "logs", wanted, Progress(), template)
        where = _endpoints(self.aws, self._services, outputs, self._keys, self.home, self.endpoints.ses_url)
        _opened(where, self._keys)
        wake(outputs, self.aws, webhook_url=where.stripe_webhook_url)
        where.write(self.home)
        return replace(self, endpoints=where)


@contextlib.contextmanager
def running(
    home: Path = HOME,
    *,
    keys: Keys | None = None,
    progress: Progress | None = None,
    usual_ports: bool = False,
    bind: str = "127.0.0.1",
) -> Iterator[Stack]:
    """
    The whole system, while the block runs. *home* holds its logs, its scratch files and endpoints.json.

    Several can run beside each other from homes of their own. Raises PartFailed, naming the part.
    """
    keys = keys or Keys()
    progress = progress or Progress()
    with contextlib.ExitStack() as parts:
        parts.enter_context(_sole_user(home))
        with progress.step("AWS (MiniStack)"):
            # Each has to know the other's address, and a letter is sent long after both are up.
            ses_url = parts.enter_context(serving(ses_app(lambda: aws), host=bind))
            aws = parts.enter_context(ministack(home, ses_url=ses_url, usual_port=usual_ports, bind=bind))
        with progress.step(described(keys)):
            found = parts.enter_context(services(keys, aws.url, usual_ports=usual_ports, bind=bind))
        outputs = _deployed(aws, home / "logs", _parameters(found, aws), progress)
        where = _endpoints(aws, found, outputs, keys, home, ses_url)
        with progress.step("keys, sender, webhook"):
            _fill_secret(aws, keys)
            aws.ses.create_email_identity(EmailIdentity=SENDER)
            _opened(where, keys)
        with progress.step("the front door answers"):
            wake(outputs, aws, webhook_url=where.stripe_webhook_url)
        parts.callback(endpoints.remove, home)
        where.write(home)
        yield Stack(where, aws, home, found, keys)


def _opened(where: Endpoints, keys: Keys) -> None:
    if not keys.real_stripe:
        seeds.point_webhook(where.stripe_url, keys, where.stripe_webhook_url)


def _deployed(
    aws: Aws, logs: Path, parameters: dict[str, str], progress: Progress, template: Path | None = None
) -> dict[str, str]:
    with contextlib.ExitStack() as building:
        if template is None:
            with progress.step("sam build"):
                template = building.enter_context(deploying.built(logs))
        with progress.step("sam deploy"):
            return deploying.deploy(template, parameters, aws=aws, logs=logs)


def _parameters(found: Services, aws: Aws) -> dict[str, str]:
    return {
        "Stage": STAGE,
        "StripeMode": "test",
        "SenderAddress": SENDER,
        "AlarmEmail": ALARM_EMAIL,
        "LinkDays": str(LINK_DAYS),
        # The form that any HTTP client can use; the AWS way needs a Host header of its own.
        "ApiBase": f"{aws.url}/_aws/execute-api",
        "StripeApiBase": found.stripe_url,
        "FastioApiBase": found.fastio_api,
        "FastioWebBase": found.fastio_url,
    }


def _endpoints(aws: Aws, found: Services, outputs: dict[str, str], keys: Keys, home: Path, ses_url: str) -> Endpoints:
    front_door = f"{aws.url}/_aws/execute-api/{outputs['ApiId']}/$default"
    webhooks = f"{front_door}/webhook"
    return Endpoints(
        page_url=f"{front_door}/order",
        stripe_webhook_url=f"{webhooks}/stripe",
        fastio_webhook_url=f"{webhooks}/fastio",
        aws_endpoint_url=aws.url,
        ses_url=ses_url,
        stripe_url=found.stripe_url,
        fastio_url=found.fastio_url,
        inbox_url=found.inbox_url,
        stripe_webhook_secret=keys.stripe_webhook_secret,
        fastio_webhook_secret=keys.fastio_webhook_secret,
        stack_name=STACK_NAME,
        secret_name=SECRET_NAME,
        region=REGION,
        outputs=outputs,
        product_ids=found.product_ids,
        fastio_workspace=found.goods.workspace,
        fastio_files=",".join(found.goods.nodes),
        stripe_is_real=keys.real_stripe,
        fastio_is_real=keys.real_fastio,
        logs=str(home / "logs"),
        pid=os.getpid(),
    )


def _fill_secret(aws: Aws, keys: Keys) -> None:
    """As the README tells an operator: everything but `link_key`, which the template made."""
    secret = json.loads(aws.secrets.get_secret_value(SecretId=SECRET_NAME)["SecretString"])
    secret |= {
        "stripe_api_key": keys.stripe_api_key,
        "stripe_webhook_secrets": [keys.stripe_webhook_secret],
        "fastio_api_key": keys.fastio_api_key,
        "fastio_webhook_secrets": [keys.fastio_webhook_secret],
    }
    aws.secrets.put_secret_value(
        SecretId=SECRET_NAME, SecretString=json.dumps(secret), ClientRequestToken=secrets.token_hex(16)
    )


@contextlib.contextmanager
def _sole_user(home: Path) -> Iterator[None]:
    """Two systems from one home would overwrite each other's files. Raises PartFailed."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise PartFailed(
                "start",
                f"a system runs from {home} already (process {lock.read() or 'unknown'}): use it, or end it with Ctrl-C"
                f" where it was started. One more beside it: .venv/bin/python -m local up --home {home}-2",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        endpoints.remove(home)
        sale.forget(home)
        yield
