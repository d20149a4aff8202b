"""`operator add|list|revoke`: who acts at this station, and in which role on a pump."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report, Warn
from pumpctl.errors import NotPaired, PumpctlError, PumpRefused, UnknownOperator

if TYPE_CHECKING:
    from collections.abc import Callable

    from pumpctl.station.operators import Operator
    from pumpctl.workflows.people.operator_grants import OnPump
    from pumpctl.workflows.people.operators import Changed, Listed, Passphrase

UNCHANGED = "PUMP_UNCHANGED"
"""The code of a warning: the pump on the port was not told of it."""
Name = Annotated[str, typer.Argument(metavar="NAME", help="The operator.")]
AdminFile = Annotated[
    Path | None,
    typer.Option(
        "--admin-passphrase-file",
        help="A file with the acting admin's passphrase; else it is asked.",
    ),
]


def add(
    name: Name,
    role: Annotated[
        str, typer.Option("--role", metavar="observer|clinician|engineer|admin", help="The role.")
    ],
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", help="A file with NAME's new passphrase; else asked."),
    ] = None,
    admin_passphrase_file: AdminFile = None,
) -> Report:
    """Add an operator of this station, or give one another role. It changes no therapy.

    NAME types a passphrase that nobody else knows: with it NAME confirms plans as the
    second person. The first operator is an admin; an admin adds all others, and signs
    for it. From the first on, nobody else acts on a pump from here; stop always works.

    With --port, the pump gives the key that NAME has paired with it this role.

    Example: pumpctl operator add chief --role admin
    """
    from pumpctl.cli.therapy.passphrases import new_for
    from pumpctl.workflows.people.operator_grants import grant_on_pump
    from pumpctl.workflows.people.operators import add_operator

    if context.port() is None:
        context.without_pump()
    station = context.station()
    done = add_operator(
        station,
        name,
        role,
        lambda who: new_for(who, passphrase_file, "--passphrase-file"),
        _acting(admin_passphrase_file),
    )
    lines = [_added_line(done)]
    if done.first:
        lines.append("From now on only operators of this station act on a pump; stop always works.")
    if done.first and station.operator != name:
        lines.append(f"{station.operator} is none of them: act with --operator {name}")
    if context.port() is None:
        return _changed("operator.add", done, lines, None, None)
    told, failure = _try(lambda: grant_on_pump(station, name, role))
    soft = isinstance(failure, NotPaired | PumpRefused | UnknownOperator)
    return _changed("operator.add", done, lines, told, failure, soft=soft)


def list_() -> Report:
    """List the operators of this station: role, key, paired pumps, revoked. No pump is asked.

    Example: pumpctl operator list
    """
    from pumpctl.workflows.people.operators import list_operators

    context.without_pump()
    found = list_operators(context.home())
    data = {"operators": [_listed_json(each) for each in found]}
    lines = [line for each in found for line in _listed_lines(each)]
    if not any(each.operator for each in found):
        lines.append("No operators were added: whoever is paired acts. pumpctl operator add NAME")
    return Report("operator.list", data, "\n".join(lines), warnings=context.warnings())


def revoke(name: Name, admin_passphrase_file: AdminFile = None) -> Report:
    """Revoke an operator of this station, for good. It changes no therapy.

    NAME acts here no more, and the key that NAME confirms plans with is deleted. An admin
    signs for it. With --port, that pump forgets NAME's key; repeat it for each pump.

    Example: pumpctl --port ./tty0 operator revoke anna
    """
    from pumpctl.workflows.people.operator_grants import forget_on_pump
    from pumpctl.workflows.people.operators import revoke_operator

    if context.port() is None:
        context.without_pump()
    station = context.station()
    done = revoke_operator(station, name, _acting(admin_passphrase_file))
    was = "was revoked before" if done.what == "nothing" else "is revoked"
    lines = [f"Operator {name} {was}, and acts at this station no more."]
    told: OnPump | None = None
    failure: PumpctlError | None = None
    if context.port() is not None:
        told, failure = _try(lambda: forget_on_pump(station, name))
    holding = [serial for serial, operator in station.home.pairings() if operator == name]
    if holding:
        lines.append(f"Still holding {name}'s key, as far as is known here: {', '.join(holding)}")
    # Without a key there is nothing that the pump could forget.
    none = station.home.operator_key(name) is None
    gone = isinstance(failure, PumpRefused) and failure.pump_code == "NOT_FOUND"
    return _changed("operator.revoke", done, lines, told, failure, soft=none or gone)


# --- underneath ----------------------------------------------------------------------


def _acting(file: Path | None) -> Passphrase:
    def asked(who: str) -> str:
        from pumpctl.cli.therapy.passphrases import typed_or_read

        return typed_or_read(who, file, "--admin-passphrase-file")

    return asked


def _try(asked: Callable[[], OnPump]) -> tuple[OnPump | None, PumpctlError | None]:
    """What the pump did, or why not: at the station it is done all the same."""
    try:
        return asked(), None
    except PumpctlError as error:
        return None, error


def _added_line(done: Changed) -> str:
    operator = done.operator
    said = {
        "added": f"Operator {operator.name} added, role {operator.role}, key {operator.id}.",
        "role": f"Operator {operator.name} has the role {operator.role} now.",
        "nothing": f"Operator {operator.name} has the role {operator.role} already.",
    }
    return said[done.what]


def _changed(
    schema: str,
    done: Changed,
    lines: list[str],
    told: OnPump | None,
    failure: PumpctlError | None,
    *,
    soft: bool = False,
) -> Report:
    """`soft`: that the pump was not told is worth a warning, and is no failure."""
    warnings = list(context.warnings())
    if told is not None and told.role is not None:
        lines.append(f"Pump {told.serial} has given {done.operator.name}'s key this role.")
    elif told is not None:
        lines.append(f"Pump {told.serial} has forgotten {done.operator.name}'s key.")
    if failure is not None:
        why = f"the pump was not changed: {failure.message}"
        if soft:
            warnings.append(Warn(UNCHANGED, why))
        else:
            lines.append(f"{why[0].upper()}{why[1:]}")
    data: dict[str, Any] = {
        "operator": _operator_json(done.operator),
        "changed": done.what,
        "on_pump": None
        if told is None and failure is None
        else {
            "done": told is not None,
            "role": None if told is None else told.role,
            "why": None if failure is None else failure.message,
        },
    }
    return Report(
        schema,
        data,
        "\n".join(lines),
        pump=None if told is None else (told.serial, told.model),
        warnings=tuple(warnings),
        error=None if soft else failure,
    )


def _operator_json(operator: Operator) -> dict[str, Any]:
    return {
        "name": operator.name,
        "role": operator.role,
        "key": operator.id,
        "added": operator.added,
        "added_by": operator.added_by,
        "revoked": operator.revoked,
        "revoked_by": operator.revoked_by,
    }


def _listed_json(each: Listed) -> dict[str, Any]:
    nobody = dict.fromkeys(("role", "key", "added", "added_by", "revoked", "revoked_by"))
    told = {"name": each.name, **nobody} if each.operator is None else _operator_json(each.operator)
    pumps = [{"serial": serial, "role": role} for serial, role in each.pumps]
    return {**told, "known": each.operator is not None, "pumps": pumps}


def _listed_lines(each: Listed) -> list[str]:
    operator = each.operator
    if operator is None:
        lines = [f"{each.name:16} not added: has a key here"]
    else:
        lines = [
            f"{each.name:16} {operator.role:10} {operator.id}",
            f"{'':16} added {operator.added} by {operator.added_by}",
        ]
        if operator.revoked is not None:
            lines.insert(1, f"{'':16} REVOKED {operator.revoked} by {operator.revoked_by}")
    return [*lines, *(f"{'':16} pump {serial}: {role}" for serial, role in each.pumps)]
