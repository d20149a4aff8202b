"""Test only: pumpctl, which notes the name of every request that it makes, in order.

    python -m tests.faults.noting FILE ARGUMENTS...

Records are encrypted; with these names a dry run tells what each of them was.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Arm the note, then be pumpctl."""
    from pumpctl.__main__ import main as pumpctl
    from pumpctl.wire.initiator import Initiator

    notes = Path(sys.argv[1])
    sys.argv[1:2] = []
    request = Initiator.request

    def noted(end: Initiator, message: object) -> tuple[int, bytes]:
        counter, data = request(end, message)
        with notes.open("a") as file:
            file.write(f"{counter} {type(message).__name__}\n")
        return counter, data

    Initiator.request = noted  # type: ignore[method-assign, assignment]
    return pumpctl()


if __name__ == "__main__":
    sys.exit(main())
