"""The line from pump to catheter tip: its volume and what it holds, from table and record.

A volume is never typed: it follows from a versioned table (tubing per pump
model, nL per mm per catheter model) and from the implant's record (models,
trimmed length). What is not known is a value of its own, with bounds. How
fluids move in the line is in `plug`; what is done about it in `prime` and
`bridge`. Nothing here knows a pump's own estimate, a file or a command.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal

from pumpctl.errors import InputRefused
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Length, Volume
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Fluid


class Mark(Enum):
    """What a record says in place of a figure or of a fluid."""

    UNKNOWN = "unknown"
    FREE = "free of drug"
    """Water, saline or CSF."""


UNKNOWN: Final = Mark.UNKNOWN
FREE: Final = Mark.FREE
NotKnown = Literal[Mark.UNKNOWN]
Holds = Fluid | Mark
"""What a part of the line holds."""


def holds_text(holds: Holds) -> str:
    """`baclofen 500 mcg/mL`, `free of drug` or `unknown`."""
    return holds.value if isinstance(holds, Mark) else f"{holds.drug} {holds.concentration}"


def holds_from(text: str) -> Holds:
    """What a person says that a part of the line holds: `free`, `unknown`, or a fluid.

    A fluid is `500 mcg/mL` (of baclofen) or `baclofen 500 mcg/mL`. QuantityError where
    it is none of these; whether it is on any list is not asked.
    """
    said = " ".join(text.split())
    for mark, words in ((UNKNOWN, ("unknown",)), (FREE, ("free", FREE.value))):
        if said.lower() in words:
            return mark
    drug, _, strength = said.partition(" ")
    if drug.isalpha() and strength:
        return Fluid(drug.lower(), Concentration.parse(strength))
    return Fluid("baclofen", Concentration.parse(said))


class TubingRow(NamedTuple):
    """The tubing inside pumps of one model."""

    model: str
    volume: Sourced[Volume]


class CatheterRow(NamedTuple):
    """Catheters of one model."""

    model: str
    nl_per_mm: int
    length: Length
    """Untrimmed."""
    trimmable: Length
    """The most that can be cut off; the whole length where no source says less."""
    source: str


class TubingTable(NamedTuple):
    """One version of the line volumes. A correction is a new version; old ones stay readable."""

    version: int
    tubing: tuple[TubingRow, ...]
    catheters: tuple[CatheterRow, ...]

    def tubing_of(self, model: str) -> Sourced[Volume]:
        """InputRefused for a pump model that is not in the table."""
        for row in self.tubing:
            if row.model == model:
                return row.volume
        known = ", ".join(row.model for row in self.tubing)
        raise _not_listed("pump", model, self.version, known)

    def catheter(self, model: str) -> CatheterRow:
        """InputRefused for a catheter model that is not in the table."""
        for row in self.catheters:
            if row.model == model:
                return row
        known = ", ".join(row.model for row in self.catheters)
        raise _not_listed("catheter", model, self.version, known)


def _not_listed(kind: str, model: str, version: int, known: str) -> InputRefused:
    return InputRefused(
        f"the table of line volumes, version {version}, has no {kind} model {model!r:.60}",
        hint=f"{kind} models in it: {known}",
    )


def _table(version: int, tubing: Sourced[Volume]) -> TubingTable:
    catheter = CatheterRow(
        model="SC110",
        nl_per_mm=260,
        length=Length.parse("110 cm"),
        trimmable=Length.parse("110 cm"),
        source="one system's rule: (110 cm - trimmed length) x 0.0026 mL/cm",
    )
    models = ("SP20", "SP40", "SP40S")
    return TubingTable(version, tuple(TubingRow(model, tubing) for model in models), (catheter,))


TABLES: Final = (
    _table(
        1,
        Sourced(
            Volume.parse("0.199 mL"),
            "as first published; corrected in 2016-17 after priming overdoses (FDA 2017)",
        ),
    ),
    _table(2, Sourced(Volume.parse("0.14 mL"), "vendor's correction of 2016-17 (FDA 2017)")),
)
"""Every version that there has been, the newest last."""


class LineVolume(NamedTuple):
    """A volume between two bounds, both possible; known where they are equal."""

    low: Volume
    high: Volume

    @property
    def known(self) -> bool:
        """Whether it is one volume."""
        return self.low == self.high

    @property
    def bounds(self) -> tuple[Volume, ...]:
        """The one volume, or both."""
        return (self.low,) if self.known else (self.low, self.high)

    def __str__(self) -> str:
        return str(self.low) if self.known else f"between {self.low} and {self.high}"


class LineParts(NamedTuple):
    """Tubing and catheter of one implant."""

    tubing: Volume
    catheter: LineVolume

    @property
    def whole(self) -> LineVolume:
        """Both together."""
        return LineVolume(self.tubing + self.catheter.low, self.tubing + self.catheter.high)


class Event(Enum):
    """Why the record of the line last changed."""

    IMPLANT = "implant"
    REVISION = "revision"
    ASPIRATION = "catheter aspiration"
    DYE_STUDY = "dye study"
    ACCESS_PORT = "access port"
    REPLACEMENT = "pump replacement"
    EXPLANT = "explant"
    CORRECTION = "correction"
    """Nothing was done to the line: something else is known of it, or its table was corrected."""
    PRIME = "prime"
    FRONT = "front at the tip"
    """The reservoir's fluid has displaced all that was in the line."""


class ImplantRecord(NamedTuple):
    """What is known of one implant's line, and since when."""

    pump_model: str
    catheter_model: str | NotKnown
    trimmed: Length | NotKnown
    tip_level: str
    """As written down in theatre, `T10`; empty where nobody did."""
    table_version: int
    """The version of the table from which its volumes come."""
    tubing: Holds
    catheter: Holds
    changed: Moment
    event: Event | NotKnown

    @property
    def holds(self) -> Holds | None:
        """What the whole line holds; None where tubing and catheter hold different things."""
        return self.tubing if self.tubing == self.catheter else None


_TOUCHES_TUBING: Final = {
    *(Event.IMPLANT, Event.REPLACEMENT, Event.EXPLANT, Event.PRIME, Event.FRONT),
}
_TOUCHES_CATHETER: Final = set(Event) - {Event.CORRECTION}
_KEEPS_LENGTH: Final = set(Event) - {Event.IMPLANT, Event.REVISION, Event.EXPLANT}


def revised(
    record: ImplantRecord,
    event: Event,
    at: Moment,
    *,
    tubing: Holds | None = None,
    catheter: Holds | None = None,
    trimmed: Length | NotKnown | None = None,
) -> ImplantRecord:
    """The record after an event: what it touches and nobody states is unknown from then on.

    Every event but a correction touches what the catheter holds; which of them also
    touch the tubing or the length is in the tables above.
    """
    if tubing is None:
        tubing = UNKNOWN if event in _TOUCHES_TUBING else record.tubing
    if catheter is None:
        catheter = UNKNOWN if event in _TOUCHES_CATHETER else record.catheter
    if trimmed is None:
        trimmed = record.trimmed if event in _KEEPS_LENGTH else UNKNOWN
    return record._replace(
        tubing=tubing,
        catheter=catheter,
        trimmed=trimmed,
        changed=at,
        event=event,
    )


def filled(record: ImplantRecord, event: Event, at: Moment, fluid: Fluid) -> ImplantRecord:
    """The record of a line that holds one fluid, from pump to tip."""
    return revised(record, event, at, tubing=fluid, catheter=fluid)


def table_of(version: int, tables: tuple[TubingTable, ...] = TABLES) -> TubingTable:
    """The table of this version; InputRefused where there is none."""
    for table in tables:
        if table.version == version:
            return table
    raise InputRefused(
        f"there is no version {version} of the table of line volumes",
        hint=f"the newest version is {tables[-1].version}",
    )


def line_parts(record: ImplantRecord, tables: tuple[TubingTable, ...] = TABLES) -> LineParts:
    """The volumes of this implant's line by the version of the table that it names.

    InputRefused for a model that is not in it, or more trimmed than the model has.
    """
    table = table_of(record.table_version, tables)
    return LineParts(table.tubing_of(record.pump_model).value, _catheter(record, table))


def _catheter(record: ImplantRecord, table: TubingTable) -> LineVolume:
    if record.catheter_model is UNKNOWN:
        # Trimmed is counted from a full length that nobody knows: it bounds nothing.
        spans = [_span(row, UNKNOWN) for row in table.catheters]
        return LineVolume(min(low for low, _ in spans), max(high for _, high in spans))
    return _span(table.catheter(record.catheter_model), record.trimmed)


def _span(row: CatheterRow, trimmed: Length | NotKnown) -> LineVolume:
    if trimmed is UNKNOWN:
        least, most = row.length - row.trimmable, row.length
    elif trimmed > row.trimmable:
        raise InputRefused(
            f"{trimmed} cannot be trimmed from a catheter {row.model}",
            hint=f"it is {row.length} long, and at most {row.trimmable} can be cut off",
        )
    else:
        least = most = row.length - trimmed
    return LineVolume(Volume(least.quanta * row.nl_per_mm), Volume(most.quanta * row.nl_per_mm))


def superseded(
    record: ImplantRecord, tables: tuple[TubingTable, ...] = TABLES
) -> tuple[LineParts, LineParts] | None:
    """The record's volumes and those of the newest table, where a correction changed them."""
    newest = record._replace(table_version=tables[-1].version)
    used, now = line_parts(record, tables), line_parts(newest, tables)
    return None if used == now else (used, now)
