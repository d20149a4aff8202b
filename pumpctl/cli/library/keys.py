"""`library keys`, and the passphrase of one: typed or from a file, never as an argument."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import NotConfirmed, UsageError

if TYPE_CHECKING:
    from pumpctl.station.library_keys import LibraryKey
    from pumpctl.workflows.surroundings import Station

_BARS = (
    "the library in force is signed by this key: every change of therapy, resume included, "
    "is refused until another is installed; stop works"
)
VARIABLE = "PUMPCTL_LIBRARY_PASSPHRASE_FILE"
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help=f"A file with the key's passphrase; or {VARIABLE}."),
]


def keys(
    new: Annotated[str | None, typer.Option("--new", metavar="NAME", help="Make a key.")] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Trust the public key in a file.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="The name it has here, with --trust.")
    ] = None,
    revoke: Annotated[
        str | None, typer.Option("--revoke", metavar="NAME", help="Trust a key no more, for good.")
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm",
            metavar="NAME",
            help="The same name again, with --revoke of the key behind the library in force.",
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> Report:
    """List the keys that sign drug libraries; make, trust or revoke one. No pump is asked.

    A new key is trusted at this station. Elsewhere its public half, a .pub file, has to be
    trusted by hand: compare the letters of its id with those the signer sees. With a
    passphrase, asked on a terminal or taken from a file, the key is kept wrapped.

    Without the key that signed the library in force every change of therapy is refused, so
    its name has to be typed again to revoke it; a script gives it with --confirm.

    Example: pumpctl library keys --new pharmacy
    """
    from pumpctl.station.home import checked_name
    from pumpctl.workflows.library import keys as library_keys

    context.without_pump()
    if sum(each is not None for each in (new, trust, revoke)) > 1:
        raise UsageError("one of --new, --trust and --revoke at a time")
    if (name is None) != (trust is None):
        raise UsageError("--trust FILE and --as NAME go together")
    if confirm is not None and revoke is None:
        raise UsageError("--confirm NAME goes with --revoke NAME")
    station = context.station()
    lines: list[str] = []
    data: dict[str, Any] = {}
    if new is not None:
        checked_name(new, "a library key")  # before a passphrase is asked
        key, place = library_keys.make_key(station, new, _new_passphrase(passphrase_file))
        data = {"made": key.id, "public": str(place)}
        lines = [
            f"Key {key.name} made and trusted here: {key.id}",
            f"Its public half, for other stations: {place}",
            "",
        ]
    elif trust is not None and name is not None:
        key = library_keys.trust_key(station, trust, name)
        data = {"trusted": key.id}
        lines = [f"Key {key.name} is trusted here: {key.id}. Is that what its maker sees?", ""]
    elif revoke is not None:
        barred = _confirmed(station, revoke, confirm)
        key = library_keys.revoke_key(station, revoke)
        data = {"revoked": key.id, "in_force": barred}
        lines = [f"Key {key.name} is revoked: {key.id}. No library of its counts any more."]
        lines += [_sentence(_BARS.replace(" is signed", " was signed", 1))] if barred else []
        lines.append("")
    known = library_keys.keys(station.home)
    trusted = {key.id: key for key in known.known}
    own = {key.id: key for key in known.own}
    every = [*known.known, *(key for key in known.own if key.id not in trusted)]
    data["keys"] = [{**_key_json(key), "own": key.id in own} for key in every]
    lines += [_key_line(key, own=key.id in own) for key in every] or ["No keys."]
    return Report("library.keys", data, "\n".join(lines), warnings=context.warnings())


# --- underneath ----------------------------------------------------------------------


def _confirmed(station: Station, name: str, given: str | None) -> bool:
    """Whether the library in force is signed by this key; then NotConfirmed unless it is meant.

    Nobody types a whole name by accident, and the wrong key bars a resume.
    """
    from pumpctl.cli.therapy.confirming import Typed, ask
    from pumpctl.workflows.library.keys import barred_without

    found = barred_without(station, name)
    if given is None and found is not None:
        Typed(f"{_BARS}. A script revokes it with: --revoke {name} --confirm {name}").ready()
        library = found.library
        context.say(f"Library of {library.site}, version {library.version}. {_sentence(_BARS)}")
        given = ask("Type the key's name to revoke it; anything else changes nothing: ").strip()
    if given is not None and given != name:
        raise NotConfirmed(f"{given!r} is not the name of the key that is to be revoked, {name}")
    return found is not None


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _key_json(key: LibraryKey) -> dict[str, Any]:
    told = key._asdict()
    return {**told, "public": key.public.hex(), "id": key.id, "counts": key.counts}


def _key_line(key: LibraryKey, *, own: bool) -> str:
    if key.revoked is not None:
        what = f"REVOKED {key.revoked} by {key.revoked_by}"
    elif key.trusted is not None:
        what = f"trusted {key.trusted} by {key.trusted_by}"
    else:
        what = "not trusted here"
    return f"{key.id}  {key.name}{', made here' if own else ''}: {what}"


def _from_file(file: Path | None) -> str | None:
    """The passphrase of a file, given by option or variable; None where neither is."""
    named = file or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is None:
        return None
    try:
        return named.read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise UsageError(f"the passphrase file {named} cannot be read: {error}", hint="") from error


def _asked(prompt: str) -> str:
    from getpass import getpass

    try:
        return getpass(prompt, stream=sys.stderr)
    except (EOFError, KeyboardInterrupt) as error:
        raise NotConfirmed("no passphrase was typed") from error


def passphrase(file: Path | None, key: str) -> str:
    """Of a wrapped key: from a file, or typed; NotConfirmed where it can be had from neither."""
    given = _from_file(file)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise NotConfirmed(
            f"the key {key} has a passphrase, and there is no terminal to type it on",
            hint=f"--passphrase-file FILE or {VARIABLE}",
        )
    return _asked(f"Passphrase of the key {key}: ")


def _new_passphrase(file: Path | None) -> str:
    """Of a new key: from a file, or typed twice; without a terminal, or with Enter, none."""
    given = _from_file(file)
    if given is not None or not sys.stdin.isatty():
        return given or ""
    first = _asked("Passphrase for the new key (Enter for none): ")
    if first and _asked("The same again: ") != first:
        raise NotConfirmed("the two passphrases differ")
    return first
