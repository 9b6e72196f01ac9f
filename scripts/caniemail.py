"""
`python scripts/caniemail.py caniemail.json` takes from caniemail.com's data (MIT; npm's package `caniemail` has it, in
`data/`) what Gmail, Outlook and Apple Mail make of the features that the letters use, and keeps it for their test.
"""

import json
import sys
from pathlib import Path

from tests.unit.test_caniemail import DATA, SLUGS

CLIENTS = ("gmail", "outlook", "apple-mail")


def main(source: Path) -> None:
    raw = json.loads(source.read_text(encoding="utf-8"))
    features = {
        one["slug"]: {
            f"{client}.{platform}": list(versions.values())[-1].split()[0]
            for client in CLIENTS
            for platform, versions in one["stats"].get(client, {}).items()
        }
        for one in raw["data"]
        if one["slug"] in SLUGS
    }
    kept = {"source": "caniemail.com, MIT", "updated": raw["last_update_date"], "features": features}
    DATA.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
