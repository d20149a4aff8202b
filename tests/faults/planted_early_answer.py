"""Test only: a pump with a planted lie. It answers first, and writes its control block later.

python -m tests.faults.planted_early_answer ARGUMENTS...
"""

from __future__ import annotations

import sys
import time

_LATE_S = 0.6


def main() -> int:
    """Plant it, then be pumpctl."""
    from pumpctl.__main__ import main as pumpctl
    from pumpctl.emulator.edge.ends import TcpEnd
    from pumpctl.emulator.memory.control import Control, ControlStore

    write, send = ControlStore.write, TcpEnd.send
    waiting: list[tuple[ControlStore, Control]] = []

    def later(store: ControlStore, control: Control) -> None:
        waiting.append((store, control))

    def early(end: TcpEnd, data: bytes) -> None:
        send(end, data)
        if waiting:
            time.sleep(_LATE_S)
        while waiting:
            write(*waiting.pop(0))

    ControlStore.write = later  # type: ignore[method-assign, assignment]
    TcpEnd.send = early  # type: ignore[method-assign, assignment]
    return pumpctl()


if __name__ == "__main__":
    sys.exit(main())
