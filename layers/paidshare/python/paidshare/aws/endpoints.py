"""Where an AWS service of a region is reached. Pure."""

from collections.abc import Mapping

# By the beginning of a region's name; the others are in the partition `aws`. botocore's own list is 1.2 MB of JSON, and
# tests/unit/test_endpoints.py holds this one against it, region by region.
_DNS_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}


def endpoint_url(service: str, region: str, environ: Mapping[str, str]) -> str:
    """
    The URL of *service* (`dynamodb`, `secretsmanager`, `sqs`), without a path.

    `AWS_ENDPOINT_URL_<SERVICE>` and `AWS_ENDPOINT_URL` come first
    (docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
    """
    names = (f"AWS_ENDPOINT_URL_{_SERVICE_IDS.get(service, service.upper())}", "AWS_ENDPOINT_URL")
    said = next(filter(None, map(environ.get, names)), "")
    suffix = next((suffix for begin, suffix in _DNS_SUFFIXES.items() if region.startswith(begin)), "amazonaws.com")
    return said or f"https://{service}.{region}.{suffix}"


_SERVICE_IDS = {"secretsmanager": "SECRETS_MANAGER"}
