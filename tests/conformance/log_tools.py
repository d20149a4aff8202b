"""Entries of the log that are told otherwise than they were written, for the mutants."""

from __future__ import annotations

from typing import Any

from pumpctl.wire import messages as m
from pumpctl.wire.codes import (
    Encoding,
    LogKind,
)
from pumpctl.wire.logentry import LogEntry, pack, unpack
from tests.conformance.mutate import (
    Patch,
    answers,
    breaks,
)


def batch(name: str, change: Any) -> None:
    """Change the entries of a RAW batch: a list of 80 bytes each."""

    def mutant(patch: Patch) -> None:
        def spoiled(answer: Any, _core: Any, asked: Any) -> Any:
            if answer.encoding is not Encoding.RAW:
                return answer
            raw = [answer.batch[at : at + 80] for at in range(0, len(answer.batch), 80)]
            made = change(raw)
            return answer._replace(batch=b"".join(made), entries=len(made))

        answers(patch, m.LogReport, spoiled)

    breaks(name)(mutant)


def writes(name: str, of: LogKind, **wrong: Any) -> None:
    """Entries of this kind are written with other values."""

    def spoil(raw: bytes) -> bytes:
        entry: LogEntry = unpack(raw)
        if entry.kind is not of:
            return raw
        made = {field: value(entry) if callable(value) else value for field, value in wrong.items()}
        return pack(entry._replace(**made))

    batch(name, lambda raw: [spoil(one) for one in raw])
