"""
One kept connection to an AWS service, over HTTP/1.1. Not for several threads.

It fails with botocore's own errors, so that whoever calls knows no difference.
"""

import select
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from paidshare.aws.errors import botocore


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds: for a connection with its TLS, and for each piece of an answer."""

    connect: float
    read: float


@dataclass(frozen=True, slots=True)
class Answered:
    """`headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """
    To the origin of *url*, which has no path. *trusted* are TLS contexts, each for when the one before does not know
    who answers; the first is made when it is needed.

    A connection that the other side has closed meanwhile, as AWS closes idle ones, is noticed and made anew.
    """

    def __init__(self, url: str, patience: Patience, trusted: Iterator[ssl.SSLContext]) -> None:
        parts = urlsplit(url)
        self._url = url
        self._patience = patience
        self._trusted = trusted
        self._context: ssl.SSLContext | None = None
        self._secure = parts.scheme == "https"
        self._address = (parts.hostname or "", parts.port or (443 if self._secure else 80))
        self.host = parts.netloc.rpartition("@")[2].removesuffix(":443" if self._secure else ":80")
        """As the header has it, and as it is signed."""
        self._kept: HTTPConnection | None = None

    def post(self, headers: Mapping[str, str], body: bytes) -> Answered:
        """What is answered, whatever it is; redirects are not followed. Raises botocore's errors of a connection."""
        try:
            connection = self._connected()
        except OSError as error:
            raise self._told(error, _unreached(error)) from error
        try:
            connection.request("POST", "/", body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            self.close()
            raise self._told(error, _unanswered(error)) from error
        if answer.will_close:
            self.close()
        return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def __del__(self) -> None:
        self.close()

    def _connected(self) -> HTTPConnection:
        if self._kept is not None and not _is_over(self._kept):
            return self._kept
        self.close()
        if not self._secure:
            self._kept = self._opened(HTTPConnection(*self._address, timeout=self._patience.connect))
            return self._kept
        self._context = self._context or next(self._trusted)
        while self._kept is None:
            try:
                self._kept = self._opened(
                    HTTPSConnection(*self._address, timeout=self._patience.connect, context=self._context)
                )
            except ssl.SSLCertVerificationError:
                if (another := next(self._trusted, None)) is None:
                    raise
                self._context = another
        return self._kept

    def _opened(self, made: HTTPConnection) -> HTTPConnection:
        try:
            made.connect()
        except BaseException:
            made.close()
            raise
        made.sock.settimeout(self._patience.read)
        return made

    def _told(self, error: Exception, kind: str) -> Exception:
        """*error* as the one of botocore's that is called *kind*."""
        told: Exception = getattr(botocore(), kind)(endpoint_url=self._url, error=error)
        return told


def _unreached(error: OSError) -> str:
    """How botocore calls it when nothing was asked yet."""
    match error:
        case TimeoutError():
            return "ConnectTimeoutError"
        case ssl.SSLError():
            return "SSLError"
        case ConnectionResetError() | BrokenPipeError():
            return "ConnectionClosedError"
        case _:
            return "EndpointConnectionError"


def _unanswered(error: Exception) -> str:
    """How botocore calls it when what was asked may have been done."""
    match error:
        case TimeoutError():
            return "ReadTimeoutError"
        case ssl.SSLError():
            return "SSLError"
        case _:
            return "ConnectionClosedError"


def _is_over(connection: HTTPConnection) -> bool:
    """Whether the other side hung up: it owes no answer, so whatever there is to read is that."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
