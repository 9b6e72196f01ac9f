"""The stand-ins' control routes, as a soak uses them."""

from typing import Any

import httpx

from local.sale import SaleFailed
from local.soak.trouble import Rule


def control(url: str) -> httpx.Client:
    """For a stand-in's own routes. A sale waits for the webhook, and that for a worker that may have to start."""
    return httpx.Client(base_url=url, timeout=120, trust_env=False)


def asked(stand_in: httpx.Client, route: str, **fields: Any) -> dict[str, Any]:
    """Raises SaleFailed."""
    answer = stand_in.post(route, json=fields)
    found: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise SaleFailed(f"the stand-in refuses {route}: {found.get('error', answer.status_code)}")
    return found


def set_rules(stand_in: httpx.Client, rules: list[Rule]) -> None:
    stand_in.post("/_faults", json=rules).raise_for_status()


def rules(stand_in: httpx.Client) -> list[Rule]:
    found: list[Rule] = stand_in.get("/_faults").json()["faults"]
    return found


def fired(rules: list[Rule]) -> str:
    before, after = (sum(rule["fired"] for rule in rules if rule["after"] is lost) for lost in (False, True))
    return f"{before} before the work, {after} after it"
