"""Test only: a station with a planted lie. Its journal says that it holds the intent, and does not.

python -m tests.faults.planted_no_intent ARGUMENTS...
"""

from __future__ import annotations

import sys
from typing import Any


def main() -> int:
    """Plant it, then be pumpctl."""
    from pumpctl.__main__ import main as pumpctl
    from pumpctl.station.journal import GENESIS, Journal

    append = Journal.append

    def forgetful(journal: Journal, kind: Any, **named: Any) -> bytes:
        return GENESIS if kind == "intent" else append(journal, kind, **named)

    Journal.append = forgetful  # type: ignore[method-assign, assignment]
    return pumpctl()


if __name__ == "__main__":
    sys.exit(main())
