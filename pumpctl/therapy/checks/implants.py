"""May this be written down as the implant's record? (REF-04)

A case is the new record beside the old one and the pump. Volumes follow from the
table, so that what is judged here is what a person said: models, lengths, contents,
the constant on the package. What a record is used for is judged where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.errors import InputRefused
from pumpctl.named import NamedTuple
from pumpctl.quantities import Volume
from pumpctl.therapy.checks.primes import OVERDOSES
from pumpctl.therapy.checks.registry import Checks
from pumpctl.therapy.findings import Finding, Seen, Severity, placed
from pumpctl.therapy.implanted import Calibration
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.line import (
    FREE,
    TABLES,
    UNKNOWN,
    Event,
    ImplantRecord,
    NotKnown,
    TubingTable,
    holds_text,
    line_parts,
)
from pumpctl.therapy.state import Fluid, PumpState

_NEW_PUMP = {Event.IMPLANT, Event.REPLACEMENT}
"""Events after which another pump is in the patient than before."""


class ImplantCase(NamedTuple):
    """A record that is to be kept, with everything that it is held against."""

    record: ImplantRecord
    kept: ImplantRecord
    """The pump's record until now, as it was written."""
    before: ImplantRecord
    """The same, with what the line is known to hold now."""
    first: bool
    """Whether nobody has recorded anything in this pump yet."""
    moved: Volume
    """Since the record before was written."""
    pump: PumpState
    printed: Calibration | NotKnown
    """On the package, as a person read it."""
    own: Calibration
    """The pump's."""
    tables: tuple[TubingTable, ...] = TABLES
    library: Library = DEFAULT


implant_check = Checks[ImplantCase]()
"""Of the implant's record."""


def check_implant(case: ImplantCase) -> tuple[Finding, ...]:
    """All findings of keeping this record, hard ones first."""
    return placed(implant_check.run(case), None)


@implant_check(
    "IMPLANT_CALIBRATION",
    Severity.HARD,
    source="clinical practice: the constant is checked against the package before implant",
    why="Every dose is metered in pulses. A pump whose constant is not the one on its package is "
    "another pump, or its memory is wrong: every dose would be out by the ratio.",
)
def implant_calibration(case: ImplantCase) -> Iterator[Seen]:
    """The constant on the package is the pump's own."""
    if isinstance(case.printed, Calibration) and case.printed != case.own:
        yield Seen(
            f"the package says {case.printed} for a pulse, and the pump {case.own}: is this the "
            "pump of this package?",
            value=str(case.printed),
            limit=str(case.own),
        )


@implant_check(
    "IMPLANT_CALIBRATION_UNCHECKED",
    Severity.SOFT,
    source="clinical practice: the constant is checked against the package before implant",
    why="Nobody has compared the pump's calibration constant with its package.",
)
def implant_calibration_unchecked(case: ImplantCase) -> Iterator[Seen]:
    """After an implant the constant was compared with the package."""
    if case.record.event in _NEW_PUMP and case.printed is UNKNOWN:
        yield Seen(
            f"the calibration constant of the package is not known; the pump's is {case.own}",
            value=UNKNOWN.value,
            limit=str(case.own),
        )


@implant_check(
    "IMPLANT_DRUG",
    Severity.HARD,
    source="LIM-07",
    why="What a line holds is a fluid of the drug library, or free of drug, or unknown. Any other "
    "concentration was never supplied for this pump: a slip, or something that nobody knows.",
)
def implant_drug(case: ImplantCase) -> Iterator[Seen]:
    """Every fluid that the record names is in the drug library."""
    listed = [Fluid(each.drug, each.concentration) for each in case.library.listed]
    said = dict.fromkeys((case.record.tubing, case.record.catheter))
    for held in said:
        if isinstance(held, Fluid) and held not in listed:
            yield Seen(
                f"the drug library has no {holds_text(held)}",
                value=holds_text(held),
                limit=", ".join(holds_text(each) for each in listed),
                source=case.library.source,
            )


@implant_check(
    "IMPLANT_NOT_FREE",
    Severity.HARD,
    source="REF-09",
    why="A correction does nothing to the line. What the pump has moved since the last record is "
    "drug in it: recorded as free once more it would be primed once more.",
    incident=OVERDOSES,
)
def implant_not_free(case: ImplantCase) -> Iterator[Seen]:
    """Nothing is corrected to `free of drug` into which the pump has moved drug."""
    parts = (case.record.tubing, case.record.catheter)
    if case.record.event is Event.CORRECTION and FREE in parts and case.moved:
        yield Seen(
            f"the pump has moved {case.moved} since the line was recorded: it is not free of "
            "drug by a correction. Say what was done to it, or that it is unknown",
            value=str(case.moved),
            limit="0 mL",
        )


@implant_check(
    "IMPLANT_SAME",
    Severity.HARD,
    source="REF-09; the protocol's duty of STAGE_IMPLANT",
    why="A pump begins its reckoning of the line anew where a record says anything else of it "
    "than the one before. Where it says the same, the pump goes on with what it has moved since, "
    "and its line is not the one that was recorded.",
)
def implant_same(case: ImplantCase) -> Iterator[Seen]:
    """The pump takes over what the record says of the line."""
    new, kept, before = case.record, case.kept, case.before
    contents = (new.tubing, new.catheter)
    if contents != (kept.tubing, kept.catheter) or _volumes(new, case) != _volumes(kept, case):
        return
    if contents != (before.tubing, before.catheter) or (case.moved and FREE in contents):
        yield Seen(
            "the pump's record says the same already, and it would not begin anew: revise it with "
            "--catheter-holds unknown first, and then say what the line holds",
            value=f"tubing {holds_text(new.tubing)}, catheter {holds_text(new.catheter)}",
        )


def _volumes(record: ImplantRecord, case: ImplantCase) -> tuple[Volume, Volume] | None:
    """What of its volumes a pump goes by; None where they are of no table."""
    try:
        tubing, catheter = line_parts(record, case.tables)
    except InputRefused:
        return None
    return tubing, catheter.high


@implant_check(
    "IMPLANT_AGAIN",
    Severity.SOFT,
    source="REF-04",
    why="The record of an implant is written once; what happens to the line afterwards is a "
    "revision of it, which keeps what the event does not touch.",
)
def implant_again(case: ImplantCase) -> Iterator[Seen]:
    """An implant is recorded where nothing was recorded before."""
    if case.record.event is Event.IMPLANT and not case.first:
        yield Seen(
            f"this pump's implant was recorded before, last at {case.before.changed}: "
            "pumpctl implant revise says what has happened since",
            value=str(case.before.changed),
        )


@implant_check(
    "IMPLANT_BOLUS_RUNNING",
    Severity.HARD,
    source="REF-09",
    why="While a bolus runs, what the line holds changes with every pulse; a record of it would "
    "be wrong before it is written.",
)
def implant_bolus_running(case: ImplantCase) -> Iterator[Seen]:
    """No bolus is running."""
    bolus = case.pump.bolus
    if bolus is not None:
        yield Seen(
            f"a {bolus.kind} bolus is running: wait for its end, or cancel it", value=bolus.kind
        )


@implant_check(
    "IMPLANT_BRIDGE_RUNNING",
    Severity.HARD,
    source="REF-08",
    why="A running bridge is metered by the line as it is recorded; another record of it would end "
    "the bridge too early or too late.",
)
def implant_bridge_running(case: ImplantCase) -> Iterator[Seen]:
    """No bridge is running."""
    bridge = case.pump.bridge
    if bridge is not None:
        yield Seen(
            f"a bridge is running, {bridge.remaining} are still to pass: wait for its end",
            value=str(bridge.remaining),
            limit="no bridge running",
        )


@implant_check(
    "IMPLANT_TABLE_OLD",
    Severity.SOFT,
    source="REF-04; vendor's correction of 2016-17 (FDA 2017)",
    why="The record names a version of the table of line volumes that has been corrected since. "
    "No prime and no bridge is planned by it.",
    incident=OVERDOSES,
)
def implant_table_old(case: ImplantCase) -> Iterator[Seen]:
    """The newest version of the table gives the same line."""
    newest = case.tables[-1].version
    used = line_parts(case.record, case.tables).whole
    now = line_parts(case.record._replace(table_version=newest), case.tables).whole
    if used != now:
        yield Seen(
            f"a line of {used} by version {case.record.table_version} of the table is {now} by "
            f"version {newest}",
            value=str(used),
            limit=str(now),
        )


@implant_check(
    "IMPLANT_UNCERTAIN",
    Severity.NOTE,
    source="REF-04, REF-08",
    why="Without model and trimmed length the catheter's volume has bounds only: a prime takes "
    "the lower one, a bridge the one that is safe in its direction.",
)
def implant_uncertain(case: ImplantCase) -> Iterator[Seen]:
    """The catheter's volume is known."""
    catheter = line_parts(case.record, case.tables).catheter
    if not catheter.known:
        yield Seen(
            f"the catheter's volume is {catheter}: look up its model and its trimmed length",
            value=str(catheter),
        )


@implant_check(
    "IMPLANT_UNKNOWN",
    Severity.NOTE,
    source="REF-09",
    why="What holds nobody knows what is neither primed nor bridged.",
)
def implant_unknown(case: ImplantCase) -> Iterator[Seen]:
    """What tubing and catheter hold is known."""
    parts = (("tubing", case.record.tubing), ("catheter", case.record.catheter))
    unknown = [name for name, held in parts if held is UNKNOWN]
    if unknown:
        yield Seen(
            f"what the {' and the '.join(unknown)} hold{'s' * (len(unknown) == 1)} is unknown: "
            "no prime can be planned",
            value=UNKNOWN.value,
        )
