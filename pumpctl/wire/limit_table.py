"""The canonical bytes of a table of hard limits, which its signature is taken from.

It travels as a blob inside STAGE_LIMITS, with its Ed25519 signature beside it,
and lies in the pump's flash as it came. A table that names another key for the
next one is signed by both, so that nobody hands over to a key that does not
exist. One table has exactly one spelling: its rows sorted by drug and
concentration. Whether its limits make sense, and whose signature counts, is the
pump's business.
"""

from typing import Annotated

from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Many, Reader, Struct, UInt, WireError
from pumpctl.wire.vocabulary import U32, Drug, Ms, Ng, NgPerDay, PgPerNl, PublicKey

FORMAT = 1
MOST_ROWS = 8
SIGNATURE = 64
"""Bytes of one Ed25519 signature: the signer's, then that of another `next_key`."""
_CONTEXT = b"pumpctl limits\x00"
"""So that no signature made for something else is one of a table."""


class Row(NamedTuple):
    """The limits of one drug at one concentration. They narrow the pump's own, and only narrow."""

    drug: Drug
    concentration: PgPerNl
    most_daily: Ng
    """Of each day of the schedule."""
    most_rate: NgPerDay
    """Of the basal, and of the fallback; so with the least."""
    least_rate: NgPerDay
    """0 where the pump's own holds."""
    most_bolus: Ng
    """Of a clinician's, and of each scheduled one."""
    most_patient_dose: Ng
    window_hour: Ng
    """In any 60 minutes (LIM-05)."""
    window_day: Ng
    """In any 24 h."""
    bolus_lockout: Ms
    """From the end of one clinician's bolus to the start of the next; 0 for none."""
    patient_lockout_least: Ms
    """A program's patient lockout is no shorter."""


class LimitTable(NamedTuple):
    """One version of a site's table."""

    format: Annotated[int, UInt(1)]
    version: U32
    signer: PublicKey
    """Ed25519; this table is signed with it."""
    next_key: PublicKey
    """The next table must be signed with this one; usually the same."""
    rows: Annotated[tuple[Row, ...], Many(Struct(Row), MOST_ROWS, least=1)]


_STRUCT = Struct(LimitTable)


def table_bytes(table: LimitTable) -> bytes:
    """The canonical bytes; WireError where a value fits no field, or it is not the one spelling."""
    _check(table)
    out = bytearray()
    _STRUCT.put(table, out)
    return bytes(out)


def table_from(data: bytes) -> LimitTable:
    """Read canonical bytes; WireError for anything else."""
    reader = Reader(data)
    table = _STRUCT.get(reader)
    reader.finish()
    _check(table)
    return table


def signed_part(data: bytes) -> bytes:
    """What the signature of these canonical bytes is made over."""
    return _CONTEXT + data


def _check(table: LimitTable) -> None:
    if table.format != FORMAT:
        raise WireError(f"limit table format {table.format}, only {FORMAT} is known")
    places = [(row.drug, row.concentration) for row in table.rows]
    if places != sorted(set(places)):
        raise WireError("rows are not sorted by drug and concentration, or two are for one")
