"""Line volumes from table and record: known, uncertain, corrected, refused."""

from __future__ import annotations

import pytest

from pumpctl.errors import InputRefused
from pumpctl.quantities import Length, Volume
from pumpctl.therapy.line import (
    FREE,
    TABLES,
    UNKNOWN,
    CatheterRow,
    Event,
    ImplantRecord,
    LineParts,
    filled,
    holds_text,
    line_parts,
    revised,
    superseded,
    table_of,
)
from tests.therapy.line_samples import WEAK as OLD
from tests.therapy.line_samples import implant, volumes
from tests.therapy.samples import NOW


@pytest.mark.requirement("REF-04")
def test_w11_catheter_by_its_length() -> None:
    whole = implant(trimmed=Length.parse("0 cm"))
    assert line_parts(whole).catheter == volumes("0.286 mL")
    assert line_parts(implant()).catheter == volumes("0.208 mL")
    assert line_parts(implant()) == LineParts(Volume.parse("0.14 mL"), volumes("0.208 mL"))
    assert line_parts(implant()).whole == volumes("0.348 mL")
    assert line_parts(implant(trimmed=Length.parse("23.5 cm"))).catheter == volumes("0.2249 mL")


@pytest.mark.requirement("REF-04")
def test_the_correction_is_a_version_and_the_old_one_stays_readable() -> None:
    old = implant(table_version=1)
    assert line_parts(old).tubing == Volume.parse("0.199 mL")
    assert [table.version for table in TABLES] == [1, 2]
    assert "corrected" in table_of(1).tubing_of("SP40").source
    assert superseded(old) == (line_parts(old), line_parts(implant()))
    assert superseded(implant()) is None
    same = (TABLES[1], TABLES[1]._replace(version=3))
    assert superseded(implant(), same) is None


@pytest.mark.requirement("REF-04")
def test_what_is_not_known_has_bounds() -> None:
    untold = line_parts(implant(trimmed=UNKNOWN)).catheter
    assert untold == volumes("0 mL", "0.286 mL")
    assert not untold.known
    assert untold.bounds == (Volume(0), Volume.parse("0.286 mL"))
    assert str(untold) == "between 0 mL and 0.286 mL"
    assert volumes("0.208 mL").known and volumes("0.208 mL").bounds == (Volume.parse("0.208 mL"),)
    assert str(volumes("0.208 mL")) == "0.208 mL"
    assert line_parts(implant(trimmed=UNKNOWN)).whole == volumes("0.14 mL", "0.426 mL")
    longer = CatheterRow("LC120", 220, Length.parse("120 cm"), Length.parse("40 cm"), "a test")
    tables = (TABLES[1]._replace(catheters=(*TABLES[1].catheters, longer)),)
    assert line_parts(implant(catheter_model="LC120", trimmed=UNKNOWN), tables).catheter == (
        volumes("0.176 mL", "0.264 mL")
    )


@pytest.mark.requirement("REF-04")
def test_an_unknown_catheter_is_never_taken_for_known() -> None:
    # Its full length is unknown too, so what was cut off says nothing of what is left.
    told = implant(catheter_model=UNKNOWN, trimmed=Length.parse("30 cm"))
    assert line_parts(told).catheter == volumes("0 mL", "0.286 mL")
    models = [
        CatheterRow("A", 200, Length.parse("100 cm"), Length.parse("50 cm"), "a test"),
        CatheterRow("B", 300, Length.parse("90 cm"), Length.parse("80 cm"), "a test"),
        CatheterRow("C", 100, Length.parse("110 cm"), Length.parse("40 cm"), "a test"),
    ]
    tables = (TABLES[1]._replace(catheters=tuple(models)),)
    assert line_parts(told, tables).catheter == volumes("0.03 mL", "0.27 mL")
    assert line_parts(implant(trimmed=Length.parse("110 cm"))).catheter == volumes("0 mL")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (implant(pump_model="SP41"), "version 2, has no pump model 'SP41'"),
        (implant(catheter_model="SC111"), "no catheter model 'SC111'"),
        (implant(trimmed=Length.parse("110.1 cm")), "110.1 cm cannot be trimmed"),
        (implant(table_version=3), "no version 3"),
    ],
)
def test_what_is_not_in_the_table_is_refused(record: ImplantRecord, why: str) -> None:
    with pytest.raises(InputRefused, match=why) as error:
        line_parts(record)
    assert error.value.hint


@pytest.mark.parametrize(
    ("event", "tubing", "length"),
    [
        (Event.ASPIRATION, OLD, True),
        (Event.DYE_STUDY, OLD, True),
        (Event.ACCESS_PORT, OLD, True),
        (Event.REVISION, OLD, False),
        (Event.REPLACEMENT, UNKNOWN, True),
        (Event.IMPLANT, UNKNOWN, False),
        (Event.EXPLANT, UNKNOWN, False),
    ],
)
def test_what_an_event_touches_is_unknown_until_somebody_states_it(
    event: Event, tubing: object, length: bool
) -> None:
    record = implant(tubing=OLD, catheter=OLD)
    after = revised(record, event, NOW)
    assert (after.tubing, after.catheter, after.event) == (tubing, UNKNOWN, event)
    assert after.trimmed == (record.trimmed if length else UNKNOWN)
    assert after.changed == NOW
    stated = revised(
        record, event, NOW, tubing=FREE, catheter=FREE, trimmed=Length.parse("41 cm")
    )  # fmt: skip
    assert (stated.tubing, stated.catheter, str(stated.trimmed)) == (FREE, FREE, "41 cm")


def test_what_the_whole_line_holds() -> None:
    assert implant().holds == FREE
    assert implant(tubing=OLD).holds is None
    assert implant(tubing=UNKNOWN, catheter=UNKNOWN).holds is UNKNOWN
    primed = filled(implant(), Event.PRIME, NOW, OLD)
    assert (primed.holds, primed.event) == (OLD, Event.PRIME)
    assert [holds_text(each) for each in (OLD, FREE, UNKNOWN)] == [
        "baclofen 500 mcg/mL",
        "free of drug",
        "unknown",
    ]
