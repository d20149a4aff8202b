"""The acts of the sweep: for each a home in which one command is left to be given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pumpctl.station.plan import read_plan, token
from tests.faults.act_sweep import PORT, Prepared, done
from tests.helpers.profiles import continuous
from tests.helpers.visits import visit_text

Words = tuple[str, ...]


def ward(home: Path, *more: str) -> None:
    """A paired pump of 2000 mcg/mL that gives a continuous dose; its time stands still."""
    done(
        home, "emulator", "new", "ward", "--pair", "--frozen", "--concentration", "2000 mcg/mL",
        *more,
    )  # fmt: skip
    _apply(home, *_program(home, "300 mcg/day"))
    done(home, "emulator", "advance", "ward", "30 h")


def _program(home: Path, dose: str) -> Words:
    file = home / "profile.toml"
    file.write_text(continuous(dose, fallback="200 mcg/day"), encoding="utf-8")
    return "program", "plan", str(file)


def _planned(home: Path, *words: str) -> Words:
    """Plan it; the command that applies it."""
    path = home / "act.plan.json"
    told = done(home, *PORT, *words, "-o", str(path))
    return *PORT, "apply", str(path), "--confirm", str(told["confirm"])


def _apply(home: Path, *words: str) -> None:
    done(home, *_planned(home, *words))
    (home / "act.plan.json").unlink()


def program(home: Path) -> Words:
    """Another program."""
    return _planned(home, *_program(home, "280 mcg/day"))


def resume(home: Path) -> Words:
    """Going on after a stop."""
    done(home, *PORT, "stop", "--now")
    return _planned(home, "resume", "--plan-only")


def bolus(home: Path) -> Words:
    """A dose on top of the program."""
    return _planned(home, "bolus", "single", "20 mcg", "--over", "10 min", "--plan-only")


def prime(home: Path) -> Words:
    """The catheter was emptied, and is recorded as free of drug."""
    _apply(
        home, "implant", "revise", "--event", "catheter aspiration", "--catheter-holds", "free",
        "--plan-only",
    )  # fmt: skip
    return _by_hand(home, "bolus", "prime", "--plan-only")


def implant(home: Path) -> Words:
    """Something was done to the catheter."""
    return _planned(home, "implant", "revise", "--event", "dye study", "--plan-only")


def patient(home: Path) -> Words:
    """The pump is nobody's from then on."""
    return _planned(home, "patient", "clear", "--plan-only")


def clock(home: Path) -> Words:
    """Another offset from UTC."""
    return _planned(home, "clock", "--set", "--offset", "+01:00", "--plan-only")


def cancel(home: Path) -> Words:
    """The short way out of a bolus that runs."""
    done(home, *bolus(home))
    (home / "act.plan.json").unlink()
    done(home, "emulator", "advance", "ward", "4 min")
    return *PORT, "bolus", "cancel", "--now"


def refill(home: Path) -> Words:
    """The same drug goes in; the program goes on."""
    file = home / "visit.toml"
    file.write_text(visit_text(_expected(home)), encoding="utf-8")
    return _planned(home, "refill", "--file", str(file), "--plan-only")


def change(home: Path) -> Words:
    """Another concentration, with its bridge: its token is typed for."""
    file = home / "visit.toml"
    file.write_text(visit_text(_expected(home), concentration="1000 mcg/mL"), encoding="utf-8")
    return _by_hand(home, "refill", "--file", str(file), "--plan-only")


def bridge(home: Path) -> Words:
    """The repair of a bridge that was left out."""
    file = home / "visit.toml"
    left_out = visit_text(
        _expected(home),
        concentration="1000 mcg/mL",
        bridge="none",
        reasons={"BRIDGE_LEFT_OUT": "forgotten, in this rehearsal"},
    )
    file.write_text(left_out, encoding="utf-8")
    done(home, *_by_hand(home, "refill", "--file", str(file), "--plan-only"))
    (home / "act.plan.json").unlink()
    done(home, "emulator", "advance", "ward", "6 h")
    path = home / "act.plan.json"
    told = done(home, *PORT, "bolus", "bridge", "--plan-only", "-o", str(path))
    soft = [one["id"] for one in told["findings"] if one["severity"] == "soft"]
    reasons = [f"--override={name}=seen" for name in soft]
    return _by_hand(home, "bolus", "bridge", "--plan-only", *reasons)


def _expected(home: Path) -> str:
    """What the pump reckons to hold: so much is drained."""
    return str(done(home, *PORT, "status")["reservoir"]["volume"])


def _by_hand(home: Path, *words: str) -> Words:
    """The command that applies a plan whose token comes from `confirm` only."""
    path = home / "act.plan.json"
    done(home, *PORT, *words, "-o", str(path))
    return *PORT, "apply", str(path), "--confirm", token(read_plan(path), "nurse")


def stop(home: Path) -> Words:
    """The short way."""
    return *PORT, "stop", "--now"


KINDS: Mapping[str, Callable[[Path], Words]] = {
    "program": program,
    "resume": resume,
    "bolus": bolus,
    "prime": prime,
    "clock": clock,
    "implant": implant,
    "patient": patient,
    "refill": refill,
    "change": change,
    "bridge": bridge,
    "stop": stop,
    "cancel": cancel,
}
_REPEATABLE = {"stop", "cancel"}


def prepare(name: str, home: Path) -> Prepared:
    """The home, with everything done but the act itself."""
    home.mkdir(parents=True)
    ward(home)
    return Prepared(name, home, KINDS[name](home), name in _REPEATABLE)
