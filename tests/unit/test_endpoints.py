"""Where AWS's services are, held against botocore's own rules and lists."""

from functools import cache

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import create_loader
from botocore.session import get_session

from paidshare.aws.endpoints import endpoint_url
from paidshare.aws.json_client import SERVICES

NAMES = [service.name for service in SERVICES]


@cache
def regions() -> set[str]:
    """All that botocore knows, of every partition."""
    partitions = create_loader().load_data("partitions")["partitions"]
    listed = {region for one in partitions for region in one["regions"] if not region.endswith("-global")}
    session = get_session()
    return listed | {
        region
        for name in NAMES
        for partition in session.get_available_partitions()
        for region in session.get_available_regions(name, partition)
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_region_s_endpoint_is_botocore_s(name: str) -> None:
    loader = create_loader()
    rules = EndpointProvider(loader.load_service_model(name, "endpoint-rule-set-1"), loader.load_data("partitions"))
    found = {region: endpoint_url(name, region, {}) for region in regions()}
    theirs = {
        region: rules.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False).url for region in regions()
    }
    assert len(found) > 40
    assert {region.partition("-")[0] for region in found} >= {"cn", "us", "eusc", "eu"}
    assert found == theirs


@pytest.mark.parametrize(("name", "variable"), [("sqs", "SQS"), ("secretsmanager", "SECRETS_MANAGER")])
def test_an_endpoint_that_is_said_comes_first_and_a_service_s_own_before_all_others(name: str, variable: str) -> None:
    everybody = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    assert endpoint_url(name, "us-east-1", everybody) == "http://127.0.0.1:4566"
    own = everybody | {f"AWS_ENDPOINT_URL_{variable}": "http://127.0.0.1:1"}
    assert endpoint_url(name, "us-east-1", own) == "http://127.0.0.1:1"


def test_the_names_of_the_variables_are_botocore_s() -> None:
    loader = create_loader()
    for name in NAMES:
        service_id = loader.load_service_model(name, "service-2")["metadata"]["serviceId"]
        variable = f"AWS_ENDPOINT_URL_{service_id.upper().replace(' ', '_')}"
        assert endpoint_url(name, "us-east-1", {variable: "http://there"}) == "http://there"
