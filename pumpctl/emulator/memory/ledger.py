"""The ledger of operations: what became of the last 64 ids. Pure functions on tuples.

An id is applied at most once, or void for ever; a refusal takes no place in it
(BOL-01 to BOL-03). Where it is stored is not known here.
"""

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Result as ResultCode
from pumpctl.wire.vocabulary import U64, Hash32, Kind, Ng, OpId, Result, UtcMs

MOST = 64


class Entry(NamedTuple):
    """One operation and its end."""

    operation: OpId
    content: Hash32
    kind: Kind
    result: Result
    state_version: U64
    """Right after it."""
    at: UtcMs
    delivered: Ng


Ledger = tuple[Entry, ...]
"""Oldest first."""


def find(ledger: Ledger, operation: bytes) -> Entry | None:
    """What is known of an id."""
    return next((entry for entry in ledger if entry.operation == operation), None)


def add(ledger: Ledger, reaches_back_to: int, entry: Entry) -> tuple[Ledger, int]:
    """The ledger with one entry more, and the version down to which it is complete."""
    if find(ledger, entry.operation) is not None:
        raise ValueError("an operation is written down once")
    kept = (*ledger, entry)
    for lost in kept[:-MOST]:
        if lost.result is ResultCode.APPLIED:
            reaches_back_to = max(reaches_back_to, lost.state_version)
    return kept[-MOST:], reaches_back_to
