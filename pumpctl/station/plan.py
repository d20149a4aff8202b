"""A plan: the file that a person can read and a program can check.

Everything that was decided before activation, bound by one hash: change one
character and it is no plan any more. The confirmation token is made of that
hash and the operator; it guards against accident and is no credential.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pumpctl.errors import PlanUnreadable, StoreError, UsageError

VALID_MS = 3_600_000
"""A plan lives one hour, by the station's clock."""
_MOST_BYTES = 1 << 20
_START = b'{\n  "schema": "pumpctl.plan/1"'
"""How every plan file begins."""

_HEX16 = r"^[0-9a-f]{16}$"
_HEX32 = r"^[0-9a-f]{32}$"
_HEX64 = r"^[0-9a-f]{64}$"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlannedPump(_Frozen):
    """The one pump for which this plan is."""

    serial: str
    model: str


class PlannedFinding(_Frozen):
    """A finding as it was when the plan was made."""

    id: str
    severity: Literal["hard", "soft", "note"]
    message: str
    source: str
    value: str | None
    limit: str | None
    line: int | None
    column: int | None


class Override(_Frozen):
    """A soft finding overridden by name."""

    id: str
    reason: str = Field(min_length=1, max_length=500)


class PlannedPatient(_Frozen):
    """What decides which of the label's rules speak, as the profile said it."""

    spasticity_origin: str
    age_group: str
    history: str | None


class PlannedLibrary(_Frozen):
    """The drug library that the plan was held against."""

    site: str
    version: int
    sha256: str = Field(pattern=_HEX64)


Kind = Literal[
    "program", "resume", "bolus", "prime", "bridge", "refill", "clock", "patient", "implant"
]
"""What a plan is about. A prime is a bolus to the pump, and something else to people."""


class Plan(_Frozen):
    """See the contract; `hash` covers every other field in canonical JSON."""

    schema_: Literal["pumpctl.plan/1"] = Field(alias="schema")
    operation: str = Field(pattern=_HEX32)
    kind: Kind
    pump: PlannedPump
    patient: str
    label_rules: PlannedPatient | None
    """For whom the label's rules are asked again when it is applied; None for a resume."""
    operator: str
    made: str
    expires: str
    made_utc_ms: int
    expires_utc_ms: int
    rehearsal: bool
    state_version: int
    counter_ms: int
    """The pump's counter when it was made: what is an increase is judged by the doses before."""
    old: dict[str, Any]
    new: dict[str, Any]
    change_percent: str | None
    readback: dict[str, Any]
    readback_bytes: str
    content: str = Field(pattern=_HEX64)
    order: dict[str, Any]
    """What the kind needs to be made again in another process. Never the patient's tag."""
    program: str
    """Canonical bytes of the program that runs afterwards, in hexadecimal; empty: not known."""
    old_program: str
    """The same of the one that ran when it was planned."""
    tag_hash: str = Field(pattern=_HEX16)
    findings: tuple[PlannedFinding, ...] = Field(strict=False)
    overrides: tuple[Override, ...] = Field(strict=False)
    alarms: tuple[str, ...] = Field(strict=False)
    """What was not cleared when it was planned, in words."""
    second: tuple[str, ...] = Field(strict=False)
    """Why a second person has to confirm it; empty: nobody has to."""
    by_hand: bool
    """Whether only `confirm`, on a terminal, gives its token."""
    library: PlannedLibrary
    hash: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")

    @property
    def open_soft(self) -> tuple[PlannedFinding, ...]:
        """Soft findings that nobody overrode: with one, the plan cannot be confirmed."""
        overridden = {override.id for override in self.overrides}
        return tuple(
            finding
            for finding in self.findings
            if finding.severity == "soft" and finding.id not in overridden
        )


def plan_hash(plan: Plan) -> str:
    """SHA-256 of the plan's canonical JSON without its `hash`."""
    plain = plan.model_dump(mode="json", by_alias=True, exclude={"hash"})
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def sealed(plan: Plan) -> Plan:
    """The plan with its hash filled in."""
    return plan.model_copy(update={"hash": plan_hash(plan)})


def token(plan: Plan, operator: str) -> str:
    """What a script confirms with; another operator's token is another one (CNF-03)."""
    digest = hashlib.sha256(f"pumpctl confirm\0{plan.hash}\0{operator}".encode()).digest()
    letters = base64.b32encode(digest[:10]).decode("ascii")
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def _written(plan: Plan) -> bytes:
    """The one spelling of a plan file."""
    text = json.dumps(plan.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=True)
    return text.encode("ascii") + b"\n"


def write_plan(plan: Plan, path: Path) -> None:
    """Write a sealed plan whole or not at all; StoreError where that cannot be."""
    try:
        temporary = path.with_name(f".{path.name}.new")
    except ValueError as error:
        raise StoreError(f"{path} is no name for a plan") from error
    _refuse_other(path)
    try:
        # It carries the patient's tag: its owner's only, like the keys.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_written(plan))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"the plan {path} cannot be written: {error}") from error


def _refuse_other(path: Path) -> None:
    """A plan may replace a plan, and nothing else: not the profile that it was made of."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_START))
    except OSError:
        return  # not there, or nothing that could be replaced
    if start != _START:
        raise UsageError(f"{path} is there already and is no plan", hint="choose another name")


def read_plan(path: Path) -> Plan:
    """Read a plan and check its hash; PlanUnreadable for anything else."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PlanUnreadable(
            f"{path} cannot be read: {error.strerror or error}", hint="is this the right file?"
        ) from error
    if len(raw) > _MOST_BYTES:
        raise PlanUnreadable(f"{path} is too large for a plan")
    try:
        plan = Plan.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PlanUnreadable(f"{path} is no plan: {where}: {first['msg']}") from error
    if plan.hash != plan_hash(plan) or raw != _written(plan):
        raise PlanUnreadable(f"{path} was altered after it was made")
    return plan
