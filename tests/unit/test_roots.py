"""The roots in the repository are Amazon's own, as Mozilla has them."""

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import certifi
import pytest

from paidshare.aws import roots

AMAZON_S = {f"Amazon Root CA {number}" for number in (1, 2, 3, 4)} | {
    "Starfield Services Root Certificate Authority - G2"
}
"""Which AWS asks its callers to trust (amazontrust.com/repository)."""


def known(file: str) -> dict[str, bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    names: list[Any] = [told["subject"] for told in context.get_ca_certs()]
    return {
        dict(part[0] for part in name).get("commonName", ""): der
        for name, der in zip(names, context.get_ca_certs(binary_form=True), strict=True)
    }


def test_they_are_the_five_that_aws_names_to_the_byte() -> None:
    ours, everybody_s = known(str(roots.AMAZON_S)), known(certifi.where())
    assert set(ours) == AMAZON_S
    assert {name: everybody_s[name] for name in AMAZON_S} == ours


def test_none_of_them_ends_within_five_years() -> None:
    told: list[Any] = roots.context(str(roots.AMAZON_S)).get_ca_certs()
    ends = [ssl.cert_time_to_seconds(one["notAfter"]) for one in told]
    assert min(ends) > (datetime.now(UTC) + timedelta(days=5 * 365)).timestamp()


def test_names_and_chains_are_checked() -> None:
    context = roots.context(str(roots.AMAZON_S))
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_all_connections_of_a_process_have_one_context() -> None:
    assert next(roots.contexts({})) is next(roots.contexts({}))


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_that_is_said_is_the_only_one(variable: str) -> None:
    assert len(list(roots.contexts({variable: certifi.where()}))) == 1
    assert len(list(roots.contexts({variable: ""}))) == 2
