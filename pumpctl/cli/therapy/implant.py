"""`implant record|revise|show`: the line from pump to tip, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.cli.therapy.program import (
    Output,
    Override,
    PlanOnly,
    apply_report,
    overrides,
    plan_report,
)
from pumpctl.errors import QuantityError, UsageError

if TYPE_CHECKING:
    from pumpctl.therapy.line import Event, NotKnown
    from pumpctl.workflows.acts.implants import ImplantAct
    from pumpctl.workflows.implanting import LineShown, Said
    from pumpctl.workflows.visit import Visit

T = TypeVar("T")
_UNKNOWN = "unknown"

Catheter = Annotated[
    str | None, typer.Option("--catheter", metavar="MODEL", help="Catheter model, or unknown.")
]
Trimmed = Annotated[
    str | None, typer.Option("--trimmed", metavar="LENGTH", help='Cut off: "30 cm", or unknown.')
]
Tip = Annotated[
    str | None, typer.Option("--tip", metavar="LEVEL", help="Level of the tip, T10, or unknown.")
]
Tubing = Annotated[
    str | None,
    typer.Option(
        "--tubing-holds", metavar="WHAT", help='"500 mcg/mL", free (of drug), or unknown.'
    ),
]
Holding = Annotated[
    str | None,
    typer.Option("--catheter-holds", metavar="WHAT", help="The same of the catheter."),
]
Constant = Annotated[
    str | None,
    typer.Option(
        "--calibration", metavar="VOLUME", help='On the package: "0.1 uL" a pulse, or unknown.'
    ),
]
Table = Annotated[
    int | None,
    typer.Option("--table", metavar="VERSION", help="Of the line volumes; default the newest."),
]


def record(
    catheter: Catheter = None,
    trimmed: Trimmed = None,
    tip: Tip = None,
    tubing_holds: Tubing = None,
    catheter_holds: Holding = None,
    calibration: Constant = None,
    table: Table = None,
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Write the record of the implant: catheter, and what the line holds now.

    It changes the record that the pump keeps, and its reckoning of the line; what it delivers
    goes on unchanged. Every answer may be "unknown". Volumes come from the table of line
    volumes, never typed.

    Example: pumpctl implant record --catheter SC110 --trimmed "30 cm" --tip T10
    --tubing-holds "500 mcg/mL" --catheter-holds free --calibration "0.1 uL"
    """
    from pumpctl.workflows.implanting import record_act

    wanted = {
        "--catheter": catheter,
        "--trimmed": trimmed,
        "--tubing-holds": tubing_holds,
        "--catheter-holds": catheter_holds,
        "--calibration": calibration,
    }
    missing = [name for name, given in wanted.items() if given is None]
    if missing:
        raise UsageError(
            f"the record needs {', '.join(missing)}", hint='"unknown" is an answer to each'
        )
    said = _said(catheter, trimmed, tip, tubing_holds, catheter_holds, calibration, table)
    return _road("implant.record", record_act(said), override, output, plan_only=plan_only)


def revise(
    event: Annotated[str, typer.Option("--event", metavar="EVENT", help="What was done.")],
    catheter: Catheter = None,
    trimmed: Trimmed = None,
    tip: Tip = None,
    tubing_holds: Tubing = None,
    catheter_holds: Holding = None,
    calibration: Constant = None,
    table: Table = None,
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Revise the record of the implant after an event.

    It changes the record that the pump keeps; what it delivers goes on unchanged. Events:
    revision, catheter aspiration, dye study, access port, pump replacement, explant,
    correction. What an event touches and nobody states is unknown afterwards.

    Example: pumpctl implant revise --event "catheter aspiration" --catheter-holds free
    """
    from pumpctl.workflows.implanting import event_from, revise_act

    named: Event = event_from(event)
    said = _said(catheter, trimmed, tip, tubing_holds, catheter_holds, calibration, table)
    return _road("implant.revise", revise_act(named, said), override, output, plan_only=plan_only)


def show() -> Report:
    """Show the implant's record, its volumes, and what follows. It changes nothing.

    Example: pumpctl --port emu://ward-3 implant show
    """
    from pumpctl.cli.therapy.implant_text import implant_lines
    from pumpctl.workflows.implanting import look

    found = look(context.station())
    return Report(
        "implant.show",
        _shown(found),
        lambda: implant_lines(found),
        pump=(found.state.serial, found.state.model),
        warnings=context.warnings(),
    )


def _road(
    schema: str,
    make: Callable[[Visit], ImplantAct],
    override: list[str] | None,
    output: Output,
    *,
    plan_only: bool,
) -> Report:
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.road.programs import plan_act, push_act

    named = overrides(override)
    if plan_only:
        return plan_report(schema, plan_act(context.station(), make, named, keep=output), output)
    return apply_report(
        schema, lambda: push_act(context.station(), make, named, Typed(), keep=output)
    )


def _said(
    catheter: str | None,
    trimmed: str | None,
    tip: str | None,
    tubing_holds: str | None,
    catheter_holds: str | None,
    calibration: str | None,
    table: int | None,
) -> Said:
    from pumpctl.quantities import Length
    from pumpctl.therapy.implanted import Calibration
    from pumpctl.therapy.line import holds_from
    from pumpctl.workflows.implanting import Said

    return Said(
        catheter_model=_read("--catheter", catheter, _word),
        trimmed=_read("--trimmed", trimmed, Length.parse),
        tip_level=None if tip is None else _tip(tip),
        tubing=None if tubing_holds is None else _asked("--tubing-holds", tubing_holds, holds_from),
        catheter=None
        if catheter_holds is None
        else _asked("--catheter-holds", catheter_holds, holds_from),
        calibration=_read("--calibration", calibration, Calibration.parse),
        table_version=table,
    )


def _read(name: str, text: str | None, read: Callable[[str], T]) -> T | NotKnown | None:
    """A value, or that it is unknown; None where nothing was said."""
    from pumpctl.therapy.line import UNKNOWN

    if text is None:
        return None
    return UNKNOWN if text.strip().lower() == _UNKNOWN else _asked(name, text, read)


def _asked(name: str, text: str, read: Callable[[str], T]) -> T:
    try:
        return read(text)
    except QuantityError as error:
        error.message = f"{name}: {error.message}"
        raise


def _word(text: str) -> str:
    return text.strip()


def _tip(text: str) -> str:
    level = text.strip()
    if level.lower() == _UNKNOWN:
        return ""
    if not 0 < len(level) <= 8 or not level.isascii() or not level.isalnum():
        raise UsageError(f"--tip {text!r:.40}: a level of the spine as T10, or unknown")
    return level.upper()


def _shown(found: LineShown) -> dict[str, Any]:
    from pumpctl.quantities import Mass, round_up
    from pumpctl.therapy.line import holds_text
    from pumpctl.therapy.prime import PrimePlan
    from pumpctl.workflows.acts.implants import described_record

    now, parts, prime = found.now, found.implant.parts, found.prime
    told = described_record(found.recorded, parts)
    changed = found.corrected
    return told | {
        "calibration": str(found.implant.calibration),
        "first": found.first,
        "moved_since": str(found.moved),
        "now": {
            "tubing_holds": holds_text(now.tubing),
            "catheter_holds": holds_text(now.catheter),
            "since": str(now.changed),
            "event": now.event.value,
        },
        "bridge": {
            "upwards": str(parts.whole.low),
            "downwards": str(parts.whole.high),
        },
        "superseded": None
        if changed is None
        else {"line": str(changed[0].whole.high), "newest": str(changed[1].whole.high)},
        "prime": {
            "possible": True,
            "volume": str(prime.volume),
            "fills": prime.parts,
            "dose": str(prime.dose),
            "worst_past_tip_dose": str(Mass(round_up(prime.worst_past_tip))),
        }
        if isinstance(prime, PrimePlan)
        else {
            "possible": False,
            "why": "the record names no table of line volumes" if prime is None else prime.why,
        },
    }
