"""
Writes docs/stories.md from the purchase stories that the tests play.

    python scripts/stories.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.stories import table

if __name__ == "__main__":
    table.PAGE.write_text(table.page(), encoding="utf-8")
