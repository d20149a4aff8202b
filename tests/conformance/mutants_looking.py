"""Mutants of what is told: identity, status, log, roles."""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.acts import look
from pumpctl.wire import logbatch
from pumpctl.wire import messages as m
from pumpctl.wire.codes import (
    Delivery,
    Encoding,
    Role,
)
from pumpctl.wire.logbatch import pack_batch
from pumpctl.wire.logentry import pack, unpack
from tests.conformance.log_tools import batch
from tests.conformance.mutate import (
    Go,
    Patch,
    answers,
    breaks,
    fields,
    handled,
    later,
    noted,
    on,
    pulse,
    requests,
)

# --- looking ----------------------------------------------------------------------------

fields("L11-program", m.Status, program_hash=bytes(32))
fields("L11-status", m.Status, reservoir=1 << 40)
fields("P18-rate", m.Status, rate=lambda told: told.rate + 1)
fields("P18-counter", m.Status, counter=lambda told: told.counter + told.counter % 17 * 100)
fields("L11-minimum", m.Status, rate=lambda told: told.rate - (told.delivery is Delivery.MINIMUM))
on("P1-pulses", m.GetLog, lambda core, _m, _a: pulse(core))
on("P1-staging", m.StageProgram, lambda core, _m, _a: pulse(core))
on("P2-reads", m.GetProgram, lambda core, _m, _a: later(core))
on("P11-reads", m.GetIdentity, lambda core, _m, _a: noted(core))
fields("P9-asks-only", m.OperationReport, at=lambda told: told.at or 1)

# --- the log as it is read --------------------------------------------------------------


batch("P16-consecutive", lambda raw: [one for one in raw if one[7] % 5 or len(raw) < 3])
fields("P16-bounds", m.LogReport, held_from=7)
requests("P16-most", m.GetLog, lambda asked, _core: asked._replace(most=asked.most + 1))
fields("P16-ahead", m.LogReport, first=1)
fields("P16-before", m.LogReport, first=lambda told: told.first or 2, held_from=2)


@breaks("P16-encodings")
def _smooths(patch: Patch) -> None:
    """Differences that leave out what does not pack well."""

    def packed(encoding: Encoding, entries: tuple[bytes, ...], room: int) -> tuple[int, bytes]:
        if encoding is Encoding.DIFFERENCE:
            entries = tuple(pack(unpack(one)._replace(b=0)) for one in entries)
        return pack_batch(encoding, entries, room)

    patch.setattr(look, "pack_batch", packed)


@breaks("P16-spelling")
def _wide_columns(patch: Patch) -> None:
    """Every difference in eight bytes: right, and as large as it can be."""

    def packed(encoding: Encoding, entries: tuple[bytes, ...], room: int) -> tuple[int, bytes]:
        with patch.context() as inner:
            inner.setattr(logbatch, "_width", lambda _largest: 8)
            return pack_batch(encoding, entries, room)

    patch.setattr(look, "pack_batch", packed)


@breaks("P16-whole-batch")
def _too_many(patch: Patch) -> None:
    def spoiled(answer: Any, _core: Any, asked: Any) -> Any:
        return answer._replace(entries=min(asked.most, 65_000))

    answers(patch, m.LogReport, spoiled)


@breaks("P16-stable")
def _rewrites(patch: Patch) -> None:
    """Entries tell the present, not their moment."""

    def spoiled(answer: Any, core: Any, _asked: Any) -> Any:
        if answer.encoding is not Encoding.RAW:
            return answer
        raw = [unpack(answer.batch[at : at + 80]) for at in range(0, len(answer.batch), 80)]
        now = core.control.state_version
        return answer._replace(batch=b"".join(pack(one._replace(b=now)) for one in raw))

    answers(patch, m.LogReport, spoiled)


fields("P16-release", m.LogReleased, below=0)

# --- roles ------------------------------------------------------------------------------


@breaks("P10-role")
def _changes_its_mind(patch: Patch) -> None:
    """The run asks once before it begins; from then on another role is named."""
    asked = [0]

    def told(answer: Any, _core: Any, _message: Any) -> Any:
        asked[0] += 1
        return answer if asked[0] == 1 else answer._replace(role=Role.CLINICIAN)

    answers(patch, m.Identity, told)


@breaks("P10-pair")
def _takes_keys(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        if isinstance(message, m.Pair):
            return m.Paired(Role.ADMIN, bytes(32))
        return go(message)

    handled(patch, handler)


@breaks("P10-unknown-key")
def _grants_anybody(patch: Patch) -> None:
    def handler(_core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        if isinstance(message, m.Grant):
            return m.Granted(message.key, message.role)
        return answer

    handled(patch, handler)


on("P10-grant-same", m.Grant, lambda core, _m, _a: later(core))
