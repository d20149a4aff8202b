"""Scenarios: patient stories in TOML, read, checked, and made into steps for the emulator.

Programs are read as profiles are, and become messages of the wire here; what a
story does to the pump and expects of it is played by `emulator.player`.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from pumpctl.emulator import player_steps as s
from pumpctl.emulator.edge import faulting, making
from pumpctl.emulator.memory.flash import PowerCut
from pumpctl.errors import ScenarioFaulty, UsageError
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import to_wire
from pumpctl.quantities import Concentration, Duration, Volume
from pumpctl.therapy.findings import Finding, placed
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.places import Path as Place
from pumpctl.therapy.toml_text import MAX_BYTES, FileKind, decoded, parsed
from pumpctl.therapy.walk import Walk
from pumpctl.wire.codes import BolusKind
from pumpctl.wire.messages import StageProgram
from pumpctl.wire.messages_acts import StageBolus, StageClock, StageRefill, StageResume
from pumpctl.wire.program import program_hash
from pumpctl.workflows.scenario.programs import Programs
from pumpctl.workflows.scenario.shape import ACTS, ALL, CUTS, FACTORY, NONE, SCENARIO

KIND = FileKind(SCENARIO.name, ScenarioFaulty)
_SUFFIX = ".toml"
_NO_TAG = bytes(8)
_FIRST = Date.parse("2000-01-01")
_BEYOND = Date.parse("2100-01-01")
"""Of a story's beginning: this project's own choice."""


class Scenario(NamedTuple):
    """One story, ready to be played."""

    name: str
    title: str
    story: str
    incident: int | None
    source: str
    model: str
    volume: Volume | None
    concentration: Concentration
    pulse_error: int
    """ppm"""
    begins: Moment
    steps: tuple[s.Step, ...]
    programs: dict[bytes, str]
    """Names by hash."""


# --- where they lie ---------------------------------------------------------------------------


def shipped() -> tuple[str, ...]:
    """The names of those that come with the package."""
    folder = resources.files("pumpctl") / "scenarios"
    names = (each.name for each in folder.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def read(which: str) -> Scenario:
    """A shipped scenario by its name, or one in a file. ScenarioFaulty with all faults."""
    if which in shipped():
        name = which
        raw = (resources.files("pumpctl") / "scenarios" / f"{which}{_SUFFIX}").read_bytes()
        file = f"{which}{_SUFFIX}"
        return read_text(decoded(raw, file, KIND), name, beside=None, file=file)
    path = Path(which)
    if path.suffix != _SUFFIX:
        raise UsageError(
            f"there is no scenario {which!r}",
            hint="a name of emulator play --list, or a file whose name ends with .toml",
        )
    text = decoded(_bytes(path), which, KIND)
    return read_text(text, path.stem, beside=path.parent, file=which)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise ScenarioFaulty(f"{path} cannot be read: {what}") from error


def read_text(text: str, name: str, *, beside: Path | None, file: str = "") -> Scenario:
    """The scenario of a TOML text; its profiles lie in this folder. ScenarioFaulty.

    Faults name the file, or the story where there is none.
    """
    text = text.removeprefix("\ufeff")
    data = parsed(text, file or name, KIND)
    _name_none(data)
    walk = Walk(SCENARIO)
    made = walk.all(data)
    scenario = None
    if not walk.faults and isinstance(made, dict):
        scenario = _Reader(walk, data, made, beside).scenario(name)
    findings = placed(walk.faults, text)
    if scenario is None or findings:
        raise ScenarioFaulty(_summary(file or name, findings), findings=findings)
    return scenario


def _name_none(data: dict[str, Any]) -> None:
    """`alarms = []` says the same as `["none"]`, and no other list may be empty."""
    steps = data.get("step")
    for table in steps if isinstance(steps, list) else ():
        expect = table.get("expect") if isinstance(table, dict) else None
        if isinstance(expect, dict) and expect.get("alarms") == []:
            expect["alarms"] = [NONE]


def _summary(name: str, findings: tuple[Finding, ...]) -> str:
    count = len(findings)
    return f"{name}: {count} {'fault' if count == 1 else 'faults'}; it is not played"


# --- from typed values to steps -----------------------------------------------------------------


class _Reader:
    """The second look, at what values mean together; it notes faults where the walk did."""

    def __init__(
        self, walk: Walk, data: dict[str, Any], made: dict[str, Any], beside: Path | None
    ) -> None:
        self._walk, self._made = walk, made
        self._model = making.model_of(made["pump"].get("model", making.DEFAULT_MODEL))
        self._programs = Programs(walk, beside)
        self._programs.read(data.get("profile", []), data.get("program", []))
        self._offset = 0

    def scenario(self, name: str) -> Scenario | None:
        """None where something is at fault."""
        made, pump = self._made, self._made["pump"]
        begins = self._moment(pump["clock"])
        self._offset = begins.offset_min
        error = self._pulse_error(pump)
        self._check_pump(pump)
        steps = self._steps()
        if self._walk.faults:
            return None
        return Scenario(
            name,
            made["title"],
            made["story"],
            made.get("incident"),
            made["source"],
            self._model.name,
            pump.get("volume"),
            pump["concentration"],
            error,
            begins,
            tuple(steps),
            self._programs.by_hash(),
        )

    def _moment(self, text: str) -> Moment:
        try:
            found = Moment.parse(text)
        except UsageError as error:
            self._walk.fault("SCENARIO_TIME", ("pump", "clock"), error.message, text)
            return Moment(0)
        if not _FIRST <= found.date < _BEYOND:
            what = f"found {text}, expected a date from {_FIRST} on and before {_BEYOND}"
            self._walk.fault("SCENARIO_TIME", ("pump", "clock"), what, text)
        return found

    def _check_pump(self, pump: dict[str, Any]) -> None:
        """What a new pump cannot be, as `emulator new` says it."""
        for key, check in (
            ("volume", making.check_filled),
            ("concentration", making.check_supplied),
        ):
            try:
                if key in pump:
                    check(self._model, pump[key])
            except UsageError as error:
                what = f"{error.message} ({error.hint})"
                self._walk.fault("SCENARIO_PUMP", ("pump", key), what, str(pump[key]))

    def _pulse_error(self, pump: dict[str, Any]) -> int:
        if "pulse_error" not in pump:
            return 0
        words = faulting.Words(percent=pump["pulse_error"], way=pump.get("pulse_way", ""))
        fault = self._fault("calibration", words, ("pump", "pulse_error"))
        return 0 if fault is None else fault.amount

    # --- steps -------------------------------------------------------------------------------

    def _steps(self) -> list[s.Step]:
        found, last = [], 0
        for number, table in enumerate(self._made["step"]):
            place = ("step", number)
            last = self._time(table, place, last)
            acts = [key for key in ACTS if key in table]
            act: s.Act = s.Look()
            what = ""
            if len(acts) == 1:
                act, what = self._act(acts[0], table[acts[0]], (*place, acts[0]))
            else:
                many = ", ".join(acts) or "none"
                wanted = f"a step has exactly one act, found {many}; one of {', '.join(ACTS)}"
                self._walk.fault("SCENARIO_ACT", place, wanted, many)
            cut = self._cut(table, act, place)
            expect = self._expect(table.get("expect", {}), (*place, "expect"))
            found.append(s.Step(last, table["note"], act, what, cut, expect))
        return found

    def _time(self, table: dict[str, Any], place: Place, last: int) -> int:
        """ms since the beginning; where it cannot be, that of the step before."""
        if ("at" in table) == ("after" in table):
            self._walk.fault("SCENARIO_TIME", place, "a step has either at or after")
            return last
        key = "at" if "at" in table else "after"
        found = _at(table["at"]) if key == "at" else last + table["after"].quanta
        if found is None:
            what = "expected 1 d 08:00, 08:00, or 6 h"
        elif found < last:
            what = "before the step before"
        elif found > faulting.LONGEST_MS:
            what = "a story lasts ten years at most, in all"
        else:
            return found
        text = str(table[key])
        self._walk.fault("SCENARIO_TIME", (*place, key), f"{text}: {what}", text)
        return last

    def _cut(self, table: dict[str, Any], act: s.Act, place: Place) -> PowerCut | s.LinkLost | None:
        power, link = table.get("power_cut"), table.get("link_lost")
        if power is not None and link is not None:
            self._walk.fault("SCENARIO_ACT", place, "power and line are not cut in one step")
        if link is not None and not isinstance(act, s.Change | s.Refill | s.LateBridge):
            self._walk.fault(
                "SCENARIO_ACT", (*place, "link_lost"), "only of a change that is staged", link
            )
        if power is not None:
            return PowerCut(power["at"], CUTS[power["kind"]])
        return None if link is None else s.LinkLost(link)

    def _act(self, key: str, value: Any, place: Place) -> tuple[s.Act, str]:
        match key:
            case "fault":
                fault = self._fault(value["kind"], _words(value), place)
                return (s.Look() if fault is None else s.Break(fault)), f"fault {value['kind']}"
            case "clear":
                return s.Mend("" if value == ALL else value), f"clear {value}"
            case "program":
                program = self._programs.named(value, place)
                if program is None:
                    return s.Look(), ""
                return s.Change(StageProgram(_NO_TAG, to_wire(program))), f"program {value}"
            case "bolus":
                kind = BolusKind[value.get("kind", "single").upper()]
                message = StageBolus(_NO_TAG, kind, value["dose"].quanta, value["over"].quanta)
                return s.Change(message), f"bolus {value['dose']}"
            case "refill":
                return self._refill(value, place)
            case "clock":
                return self._clock(value, place)
            case _:
                return _DONE[value], value

    def _refill(self, table: dict[str, Any], place: Place) -> tuple[s.Act, str]:
        program = self._programs.named(table["program"], (*place, "program"))
        if program is None:
            return s.Look(), ""
        injected: Volume = table["injected"]
        drained: Volume | None = table.get("drained")
        message = StageRefill(
            tag=_NO_TAG,
            drained=0,
            injected=injected.quanta,
            volume=table.get("volume", injected).quanta,
            filled_at=0,
            since=0,
            bridge=None,
            program=to_wire(program),
        )
        bridge = table.get("bridge") == "yes"
        wanted = None if drained is None else drained.quanta
        what = f"refill {injected} of {program.concentration}, program {table['program']}"
        return s.Refill(message, wanted, bridge), what + (", bridge" if bridge else "")

    def _clock(self, table: dict[str, Any], place: Place) -> tuple[s.Act, str]:
        if "forward" in table and "back" in table:
            self._walk.fault("SCENARIO_TIME", place, "either forward or back")
        forward = table["forward"].quanta if "forward" in table else 0
        back = table["back"].quanta if "back" in table else 0
        if "utc_offset" in table:
            try:
                told = Moment.parse(f"2000-01-01T00:00:00{table['utc_offset']}")
                self._offset = told.offset_min
            except UsageError:
                what = f"found {table['utc_offset']}, expected +HH:MM or -HH:MM"
                self._walk.fault("SCENARIO_TIME", (*place, "utc_offset"), what)
        words = [f"{key} {table[key]}" for key in ("forward", "back") if key in table]
        words += [f"offset {table['utc_offset']}"] if "utc_offset" in table else []
        return s.Change(StageClock(forward - back, self._offset)), f"clock {', '.join(words)}"

    def _fault(self, kind: str, words: faulting.Words, place: Place) -> faulting.Asked | None:
        try:
            asked = faulting.asked(kind, words)
            faulting.check_model(
                faulting.kind_of(kind), self._model.name, sensor=self._model.sensor
            )
            return asked
        except UsageError as error:
            what = f"{error.message} ({error.hint})" if error.hint else error.message
            self._walk.fault("SCENARIO_FAULT", place, what, kind)
            return None

    def _expect(self, table: dict[str, Any], place: Place) -> s.Expect:
        made: dict[str, Any] = {
            key: value if isinstance(value, int | str) else value.quanta
            for key, value in table.items()
            if key not in {"alarms", "running"}
        }
        alarms = table.get("alarms")
        if alarms is not None:
            if NONE in alarms and len(alarms) > 1:
                self._walk.fault("SCENARIO_NAME", (*place, "alarms"), f"{NONE} stands alone", NONE)
            made["alarms"] = frozenset(alarms) - {NONE}
        if "running" in table:
            made["running"] = self._running(table["running"], (*place, "running"))
        return s.Expect(**made)

    def _running(self, name: str, place: Place) -> bytes | None:
        if name == FACTORY:
            return s.FACTORY_PROGRAM
        program = self._programs.named(name, place)
        return None if program is None else program_hash(to_wire(program))


_DONE: dict[str, s.Act] = {
    "look": s.Look(),
    "stop": s.Stop(),
    "resume": s.Change(StageResume(_NO_TAG, bytes(32))),
    "cancel-bolus": s.CancelBolus(),
    "patient-dose": s.PatientDose(),
    "late-bridge": s.LateBridge(),
}


def _words(table: dict[str, Any]) -> faulting.Words:
    return faulting.Words(
        percent=table.get("percent", ""),
        volume=table.get("volume", ""),
        concentration=table.get("concentration", ""),
        delay=table.get("delay", ""),
        how_many=table.get("count"),
        way=table.get("way", ""),
        lasts=table.get("for", ""),
        region=table.get("at", ""),
        copy=table.get("copy"),
    )


def _at(text: str) -> int | None:
    """ms of `1 d 08:00`, `08:00` or a duration; None for anything else."""
    days, mark, clock = text.rpartition(" d ")
    day = clock if mark else text
    hours, colon, minutes = day.partition(":")
    try:
        if not colon:
            return None if mark else Duration.parse(text).quanta
        whole = Duration.parse(f"{days} d").quanta if mark else 0
    except UsageError:
        return None
    plain = len(hours) == len(minutes) == 2 and (hours + minutes).isascii()
    if not plain or not (hours + minutes).isdigit() or int(hours) > 23 or int(minutes) > 59:
        return None
    return whole + (int(hours) * 60 + int(minutes)) * 60_000
