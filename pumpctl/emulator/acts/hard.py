"""The hard limits in force: the factory's absolutes, narrowed by a signed table (LIM-07).

A table can only narrow. It comes by message, is trusted by its signature alone,
and its version never goes down. What the limits are held against is in `limits`;
nothing here stores or activates.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.engine.clock import DAY_MS
from pumpctl.emulator.memory.implant import Implant
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Drug, Refuse
from pumpctl.wire.fields import WireError
from pumpctl.wire.limit_table import SIGNATURE, LimitTable, Row, signed_part, table_from
from pumpctl.wire.messages_acts import StageLimits

MOST_LOCKOUT_MS = DAY_MS
"""This project's choice: a longer one would bar boluses altogether."""


class Hard(NamedTuple):
    """What holds for one drug at one concentration. Masses in ng, rates in ng/day, times in ms."""

    drug: Drug
    concentration: int
    most_daily: int
    most_rate: int
    least_rate: int
    most_bolus: int
    most_patient_dose: int
    window_hour: int
    window_day: int
    bolus_lockout: int
    patient_lockout_least: int


def hard_limits(implant: Implant, table: LimitTable | None, drug: Drug, concentration: int) -> Hard:
    """Refused for a concentration that the pump, or an installed table, does not know."""
    if concentration not in implant.concentrations:
        raise Refused(Refuse.CONCENTRATION, f"{concentration} mcg/mL is not on this pump's list")
    own = factory(implant, drug, concentration)
    if table is None:
        return own
    row = _row(table, drug, concentration)
    if row is None:
        raise Refused(
            Refuse.CONCENTRATION,
            f"{concentration} mcg/mL has no row in the table of limits, version {table.version}",
        )
    return narrowed(own, row)


def factory(implant: Implant, drug: Drug, concentration: int) -> Hard:
    """What the pump was made with, rounded to the safe side."""
    most = implant.most_daily
    return Hard(
        drug,
        concentration,
        most_daily=most,
        most_rate=implant.most_flow * concentration // 1_000,
        least_rate=-(-implant.least_flow * concentration // 1_000),
        most_bolus=most,
        most_patient_dose=most,
        window_hour=most,
        window_day=most,
        bolus_lockout=0,
        patient_lockout_least=0,
    )


def narrowed(own: Hard, row: Row) -> Hard:
    """Of each limit the stricter one."""
    return own._replace(
        most_daily=min(own.most_daily, row.most_daily),
        most_rate=min(own.most_rate, row.most_rate),
        least_rate=max(own.least_rate, row.least_rate),
        most_bolus=min(own.most_bolus, row.most_bolus),
        most_patient_dose=min(own.most_patient_dose, row.most_patient_dose),
        window_hour=min(own.window_hour, row.window_hour),
        window_day=min(own.window_day, row.window_day),
        bolus_lockout=row.bolus_lockout,
        patient_lockout_least=row.patient_lockout_least,
    )


# --- a table that arrives --------------------------------------------------------------


def judge_table(
    message: StageLimits,
    *,
    implant: Implant,
    drug: Drug,
    concentration: int,
    stored_version: int,
    pinned: bytes | None,
) -> LimitTable:
    """The table, where this pump may take it over.

    `pinned` is the key that the last table named for this one, or None before the
    first, whose own signer an admin trusts by activating it. Drug and
    concentration are the reservoir's. Refused: MALFORMED, SIGNATURE, RANGE for a
    version that does not rise, IMPLAUSIBLE for limits that nothing could meet.
    """
    try:
        table = table_from(message.table)
    except WireError as error:
        raise Refused(Refuse.MALFORMED, f"no table of limits: {error}") from error
    if table.version != message.version:
        raise Refused(Refuse.MALFORMED, "the message names another version than the table")
    if pinned is not None and table.signer != pinned:
        raise Refused(Refuse.SIGNATURE, "not the key that the last table named for this one")
    _verify(table, message)
    if table.version <= stored_version:
        raise Refused(
            Refuse.RANGE, f"version {table.version}, but {stored_version} is installed already"
        )
    for row in table.rows:
        fault = _fault(narrowed(factory(implant, row.drug, row.concentration), row))
        if fault:
            raise Refused(Refuse.IMPLAUSIBLE, f"{row.concentration} mcg/mL: {fault}")
    if _row(table, drug, concentration) is None:
        raise Refused(
            Refuse.IMPLAUSIBLE,
            f"no row for the {concentration} mcg/mL in the reservoir: "
            "its program could not even be lowered",
        )
    return table


def _row(table: LimitTable, drug: Drug, concentration: int) -> Row | None:
    for row in table.rows:
        if (row.drug, row.concentration) == (drug, concentration):
            return row
    return None


def _verify(table: LimitTable, message: StageLimits) -> None:
    """Signed by its signer, and by the next key where that is another one."""
    keys = [table.signer] if table.next_key == table.signer else [table.signer, table.next_key]
    if len(message.signature) != SIGNATURE * len(keys):
        raise Refused(Refuse.SIGNATURE, f"{SIGNATURE * len(keys)} bytes of signature wanted")
    for index, key in enumerate(keys):
        signature = message.signature[SIGNATURE * index : SIGNATURE * (index + 1)]
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, signed_part(message.table))
        except InvalidSignature as error:
            raise Refused(Refuse.SIGNATURE, "the table and its signature do not agree") from error


def _fault(hard: Hard) -> str:
    """What keeps anything at all from meeting these limits."""
    least = hard.least_rate
    if least > min(hard.most_rate, hard.most_daily, hard.window_day, 24 * hard.window_hour):
        return "the least rate is above what an hour, a day or the basal may have"
    if not (hard.most_bolus and hard.most_patient_dose):
        return "a largest bolus of nothing"
    if max(hard.bolus_lockout, hard.patient_lockout_least) > MOST_LOCKOUT_MS:
        return "a lockout of more than 24 h"
    return ""
