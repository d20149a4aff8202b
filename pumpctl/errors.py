"""Every error that a user can meet: its exit code, its JSON code and a hint.

Floor 0. It knows nothing of wires, files or terminals; whoever raises one of
these says what happened in a sentence, and the class says what it means. The
tables of exit codes in the documentation are generated from this tree.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Changed = Literal["yes", "no", "unknown"]


class PumpctlError(Exception):
    """Base of the tree. `exit_code` and `code` are API; the wording is not."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "INTERNAL"
    default_hint: ClassVar[str] = ""
    changed: Changed = "no"
    operation: str | None = None
    """The operation that it is about, where there is one."""
    greeted: str | None = None
    """The serial of the pump that had greeted before, where one had."""

    def __init__(self, message: str, *, hint: str | None = None, findings: object = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.findings = findings


class InternalError(PumpctlError):
    """A bug of ours (exit 1)."""

    code = "INTERNAL"
    default_hint = "this is a bug in pumpctl; the log file holds the traceback"


# --- 2: usage ---------------------------------------------------------------


class UsageError(PumpctlError):
    """The command line cannot be understood (exit 2)."""

    exit_code = 2
    code = "USAGE"
    default_hint = "see --help"


class QuantityError(UsageError):
    """A number with a unit was expected and something else was found (exit 2).

    `nearest` holds up to two texts that would be taken instead.
    """

    code = "QUANTITY"
    default_hint = "write a number and its unit, as in 20 mcg, 10 min, 0.5 mL"

    def __init__(self, message: str, *, nearest: tuple[str, ...] = ()) -> None:
        hint = f"nearest values taken: {' or '.join(nearest)}" if nearest else None
        super().__init__(message, hint=hint)
        self.nearest = nearest


class UnknownOperator(UsageError):
    """Whoever `--operator` names is none of this station's operators, or no more (exit 2)."""

    code = "OPERATOR"
    default_hint = (
        "pumpctl operator list shows who is; an admin adds others with operator add; "
        "in an emergency: --home FOLDER, an empty one, which asks for no operator"
    )


# --- 3: input refused before activation ---------------------------------------


class InputRefused(PumpctlError):
    """What was handed in is refused before anything was activated (exit 3)."""

    exit_code = 3
    code = "INPUT"


class ProfileSyntax(InputRefused):
    """The profile is not TOML, or not readable at all."""

    code = "PROFILE_SYNTAX"
    default_hint = "correct the file at the place shown"


class LibrarySyntax(InputRefused):
    """The drug library is not TOML, or not readable at all."""

    code = "LIBRARY_SYNTAX"
    default_hint = "correct the file at the place shown"


class LibraryFaulty(InputRefused):
    """The drug library can be read, but has findings with which it is not used."""

    code = "LIBRARY_FAULTY"
    default_hint = "pumpctl library check FILE shows every finding"


class LibrarySignature(InputRefused):
    """The drug library is not signed, not by a trusted key, or was altered after it was."""

    code = "LIBRARY_SIGNATURE"
    default_hint = "get the file again from whoever signed it; pumpctl library keys shows whom"


class LibraryVersion(InputRefused):
    """The drug library is not newer than the one that is installed."""

    code = "LIBRARY_VERSION"
    default_hint = "a library's version never goes down: raise it, sign it again, install it"


class LibraryInvalid(InputRefused):
    """The site's drug library is not valid, so no therapy is checked against it."""

    code = "LIBRARY_INVALID"
    default_hint = "pumpctl library install FILE puts a signed one in place; stop always works"


class ScenarioFaulty(InputRefused):
    """The scenario is not TOML, or does not say what is to be played."""

    code = "SCENARIO_FAULTY"
    default_hint = "correct the file; pumpctl emulator play --list shows the shipped ones"


class ScenarioFailed(InputRefused):
    """A scenario was played to its end, and not all that it expects came true."""

    code = "SCENARIO"
    default_hint = "the built-in pump is left as it is: pumpctl emulator inspect NAME"


class LimitHard(InputRefused):
    """A hard limit is broken. There is no override."""

    code = "LIMIT_HARD"
    default_hint = "a hard finding has no override; pumpctl explain ID says why it is one"


class LimitSoft(InputRefused):
    """A soft limit is broken and nobody overrode it by name."""

    code = "LIMIT_SOFT"
    default_hint = 'nothing was changed; plan again with --override ID="REASON" for each of them'


class VisitSyntax(InputRefused):
    """The visit file is not TOML, or not readable at all."""

    code = "VISIT_SYNTAX"
    default_hint = "correct the file at the place shown"


class VisitFaulty(InputRefused):
    """The visit file can be read, and does not say what a refill is."""

    code = "VISIT_FAULTY"
    default_hint = "correct the file; every finding shows its line and column"


class RefillConflict(InputRefused):
    """This order was applied before with other content: one order is one refill."""

    code = "REFILL_CONFLICT"
    default_hint = "pumpctl status shows what the pump holds; another refill needs another order"


class PlanUnreadable(InputRefused):
    """The plan is not a plan, or was altered after it was made."""

    code = "PLAN_UNREADABLE"
    default_hint = "make a new plan; a plan file is never edited"


class PlanExpired(InputRefused):
    """The plan is older than its hour."""

    code = "PLAN_EXPIRED"
    default_hint = "make a new plan"


class PlanStale(InputRefused):
    """The pump is not in the state for which the plan was made."""

    code = "PLAN_STALE"
    default_hint = "something changed the pump since; look at it, then make a new plan"


class PlanUsed(InputRefused):
    """The plan has been applied or refused once; it never applies again."""

    code = "PLAN_USED"
    default_hint = "a plan applies at most once; make a new one"


# --- 4: the port ----------------------------------------------------------------


class PortError(PumpctlError):
    """The line to the pump cannot be opened (exit 4)."""

    exit_code = 4
    code = "PORT"


class PortMissing(PortError):
    """There is no such port."""

    code = "PORT_MISSING"
    default_hint = "pumpctl list shows the ports that are there"


class PortDenied(PortError):
    """The port is there, but this user may not open it."""

    code = "PORT_DENIED"
    default_hint = "on Linux, add the user to the group that owns the device"


class PortBusy(PortError):
    """Another process holds the port or the pump."""

    code = "PORT_BUSY"
    default_hint = "end the other program that uses this pump, then try again"


# --- 5: no usable conversation ------------------------------------------------------


class LinkError(PumpctlError):
    """The line is open, but there is no usable conversation (exit 5)."""

    exit_code = 5
    code = "LINK"


class NoAnswer(LinkError):
    """Nothing came back in time."""

    code = "NO_ANSWER"
    default_hint = "is the telemetry head over the pump, and is this the right port?"


class Corrupt(LinkError):
    """What came back cannot be understood."""

    code = "CORRUPT"
    default_hint = "the line is disturbed, or something else than a pump answers on it"


class WrongPump(LinkError):
    """Another pump answered than the one that was asked for."""

    code = "WRONG_PUMP"
    default_hint = "nothing was sent to it; check --pump, the profile and the patient"


class VersionSkew(LinkError):
    """The pump speaks a protocol version that this program can only read."""

    code = "VERSION_SKEW"
    default_hint = "reading still works; use a matching version of pumpctl to change therapy"


class NotPaired(LinkError):
    """This operator of this station has no key for the pump."""

    code = "NOT_PAIRED"
    default_hint = "pair first: pumpctl pair --secret-file CARD"


# --- 6: the pump refused --------------------------------------------------------------


class PumpRefused(PumpctlError):
    """The pump said no, and nothing was changed (exit 6)."""

    exit_code = 6
    code = "PUMP_REFUSED"

    def __init__(self, message: str, *, pump_code: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.pump_code = pump_code


# --- 7, 8, 12: what became of a change ----------------------------------------------------


class OutcomeUnknown(PumpctlError):
    """The change may or may not have happened (exit 7)."""

    exit_code = 7
    code = "OUTCOME_UNKNOWN"
    default_hint = "do not repeat it; run pumpctl resolve"
    changed = "unknown"


class ReadbackDiffers(PumpctlError):
    """The pump stored something else than was asked; nothing was activated (exit 8)."""

    exit_code = 8
    code = "READBACK_DIFFERS"
    default_hint = "nothing was changed; make a new plan, and have the pump examined if it recurs"


class ActNow(PumpctlError):
    """Changed, but it differs, does not deliver, or could not be verified (exit 12)."""

    exit_code = 12
    code = "ACT_NOW"
    default_hint = "the pump was changed: interrogate it now and watch the patient"
    changed = "yes"


# --- 9, 10, 11, 130 ---------------------------------------------------------------------------


class NotConfirmed(PumpctlError):
    """Declined, mistyped, or no terminal to confirm on (exit 9)."""

    exit_code = 9
    code = "NOT_CONFIRMED"
    default_hint = "nothing was changed"


class Blocked(PumpctlError):
    """An alarm or an unresolved operation prevents it (exit 10)."""

    exit_code = 10
    code = "BLOCKED"


class RefillUnfinished(Blocked):
    """A refill was begun here, and the pump does not know what it holds now."""

    code = "REFILL_UNFINISHED"
    default_hint = "pumpctl refill goes on where it stopped; stop is always possible"


class AlarmActive(Blocked):
    """`status --check` asked for such an alarm, and there is one."""

    code = "ALARM_ACTIVE"
    default_hint = "pumpctl status shows it, and what to do"


class AlarmNotHeard(Blocked):
    """The alarm signal was tested and nobody heard it: this pump warns nobody now."""

    code = "ALARM_NOT_HEARD"
    default_hint = "test again in a quiet room; still nothing: plan by dates, have it examined"


class MriHeld(Blocked):
    """The guidance speaks against a scan now, and nobody gave a reason to scan all the same."""

    code = "MRI_HELD"
    default_hint = "clear it up first; an urgent scan: the same with --reason TEXT, which is kept"


class MriNotClosed(Blocked):
    """It is not yet shown that the pump delivers again after a scan."""

    code = "MRI_NOT_CLOSED"
    default_hint = "do not let the patient go; run pumpctl mri after again when it says so"


class Unresolved(Blocked):
    """An earlier operation has no known outcome yet."""

    code = "UNRESOLVED"
    default_hint = "run pumpctl resolve first; stop is always possible"


class StoreError(PumpctlError):
    """The journal, the records or the home cannot be written (exit 11)."""

    exit_code = 11
    code = "STORE"
    default_hint = "nothing was sent; make room or permission in the home, then try again"


class Interrupted(PumpctlError):
    """Interrupted before the first activate byte left (exit 130)."""

    exit_code = 130
    code = "INTERRUPTED"
    default_hint = "nothing was changed"
