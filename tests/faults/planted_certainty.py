"""Test only: a station with a planted lie. An unknown outcome is told as exit 5, changed no.

python -m tests.faults.planted_certainty ARGUMENTS...
"""

from __future__ import annotations

import sys


def main() -> int:
    """Plant it, then be pumpctl."""
    from pumpctl.__main__ import main as pumpctl
    from pumpctl.errors import NoAnswer, OutcomeUnknown

    OutcomeUnknown.exit_code = NoAnswer.exit_code
    OutcomeUnknown.code = NoAnswer.code
    OutcomeUnknown.changed = "no"  # type: ignore[assignment]
    return pumpctl()


if __name__ == "__main__":
    sys.exit(main())
