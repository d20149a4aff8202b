"""Test only: pumpctl, on a line that dies with the answer to what changes therapy.

python -m tests.faults.losing ARGUMENTS...
"""

from __future__ import annotations

import sys
from typing import Any

from pumpctl.__main__ import main
from pumpctl.link.session import Link
from pumpctl.outcomes import OperationId, Unknown

_change = Link.change


def _lost(self: Link, message: Any) -> object:
    """The pump has done it, or not; nobody hears."""
    _change(self, message)
    return Unknown(OperationId(message.operation), "the line died")


if __name__ == "__main__":
    Link.change = _lost  # type: ignore[method-assign,assignment]
    sys.exit(main())
