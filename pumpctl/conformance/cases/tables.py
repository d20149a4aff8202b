"""Signed tables of hard limits: what is refused, and what is only staged (section 13, LIM-07).

None is ever activated: a table's version never goes down and it names the key of
the next one, so that a pump could not be given back as it was found.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import needing, same
from pumpctl.conformance.faults import NotApplicable
from pumpctl.conformance.samples import HOUR_MS, MOST_DAILY
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Feature, Refuse
from pumpctl.wire.limit_table import FORMAT, LimitTable, Row, signed_part, table_bytes
from pumpctl.wire.messages_acts import LimitsReadback, StageLimits

needs = needing(Feature.LIMITS)
_HELD = "the pump holds a table already, and takes the next one from its own signer only"


class _Signer:
    """A key that nobody trusts yet, and tables that it signs."""

    def __init__(self, bench: Bench) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bench.talk.entropy(32))
        self.public = self._key.public_key().public_bytes_raw()
        self.bench = bench

    def row(self) -> Row:
        """Limits as wide as the pump's own."""
        samples = self.bench.samples
        return Row(
            samples.drug,
            samples.concentration,
            MOST_DAILY,
            MOST_DAILY,
            0,
            MOST_DAILY,
            MOST_DAILY,
            MOST_DAILY,
            MOST_DAILY,
            0,
            0,
        )

    def table(self, *rows: Row) -> LimitTable:
        """The next table of this pump."""
        version = self.bench.library + 1
        return LimitTable(FORMAT, version, self.public, self.public, rows or (self.row(),))

    def order(self, table: LimitTable) -> StageLimits:
        """Signed."""
        return self.signed(table_bytes(table), table.version)

    def signed(self, text: bytes, version: int) -> StageLimits:
        """Bytes that need be no table, signed."""
        return StageLimits(version, text, self._key.sign(signed_part(text)))


def _fresh(bench: Bench) -> _Signer:
    if bench.library:
        raise NotApplicable(_HELD)
    return _Signer(bench)


def _refused(bench: Bench, order: StageLimits, *codes: Refuse) -> None:
    with bench.nothing_written():
        bench.refused(order, *codes)


@needs("P4-table", "A signed table is read back as accepted; staging puts nothing in force.")
def readback(bench: Bench) -> None:
    signer = _fresh(bench)
    order = signer.order(signer.table())
    staged = bench.get(order, m.Staged)
    told = bench.get(m.GetReadback(), LimitsReadback)
    same("content", told.content, staged.content)
    same("version and accepted", (told.version, told.accepted), (order.version, True))
    bench.get(m.Discard(), m.Discarded)
    same("the table in force", bench.look().pump.library, bench.library)


@needs("P8-table-signature", "A table that is not signed by its signer is refused.")
def signature(bench: Bench) -> None:
    signer = _Signer(bench)
    order = signer.order(signer.table())
    spoiled = order.signature[:-1] + bytes([order.signature[-1] ^ 1])
    other = _Signer(bench).order(signer.table())  # a table that names one, signed by another
    for wrong in (order._replace(signature=spoiled), order._replace(signature=b""), other):
        _refused(bench, wrong, Refuse.SIGNATURE)


@needs("P8-table-successor", "A table that hands over is signed by the next key, too.")
def successor(bench: Bench) -> None:
    signer, heir = _Signer(bench), _Signer(bench)
    _refused(bench, signer.order(signer.table()._replace(next_key=heir.public)), Refuse.SIGNATURE)


@needs("P8-table-holder", "A pump that holds a table takes the next from its signer.")
def holder(bench: Bench) -> None:
    if not bench.library:
        raise NotApplicable("the pump holds no table yet")
    signer = _Signer(bench)
    _refused(bench, signer.order(signer.table()), Refuse.SIGNATURE)


@needs("P8-table-spelling", "A table that is not in its one spelling is refused.")
def spelling(bench: Bench) -> None:
    signer = _Signer(bench)
    table = signer.table()
    text = table_bytes(table)
    twice = text[:69] + b"\2" + text[70:] * 2  # the count of rows is the 70th byte
    for wrong in (b"", text[:-1], text + b"\0", b"\2" + text[1:], twice):
        _refused(bench, signer.signed(wrong, table.version), Refuse.MALFORMED)
    _refused(bench, signer.signed(text, table.version + 1), Refuse.MALFORMED)


@needs("P8-table-version", "A table whose version does not rise is refused.")
def version(bench: Bench) -> None:
    signer = _Signer(bench)
    table = signer.table()._replace(version=bench.library)
    codes = (Refuse.RANGE, Refuse.SIGNATURE) if bench.library else (Refuse.RANGE,)
    _refused(bench, signer.order(table), *codes)


@needs("P8-table-rows", "A table that nothing could meet is refused as IMPLAUSIBLE.")
def rows(bench: Bench) -> None:
    signer = _fresh(bench)
    row = signer.row()
    for wrong in (
        row._replace(concentration=750),  # none for what is in the reservoir
        row._replace(most_bolus=0),
        row._replace(most_patient_dose=0),
        row._replace(least_rate=2, most_rate=1),
        row._replace(bolus_lockout=24 * HOUR_MS + 1),
        row._replace(patient_lockout_least=24 * HOUR_MS + 1),
    ):
        _refused(bench, signer.order(signer.table(wrong)), Refuse.IMPLAUSIBLE)
