"""The home: one folder with everything that a station keeps.

station.json            this station's id
operators/NAME.json     an operator's private key towards pumps, 0600
operators/known/        the operators who were added here, with the keys they sign with
pumps/SERIAL/NAME.json  what pairing left for that operator, 0600
pumps/SERIAL/seen       where and when this pump was last spoken to
journal.sqlite3         intents and outcomes, hash-chained
records.sqlite3         interrogations and logs (or elsewhere, by --database)
library/                a site's drug library: keys, what is trusted, what is installed
emulators/NAME/         built-in pumps
locks/                  one per port and pump
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pumpctl.errors import NotPaired, StoreError, UsageError
from pumpctl.station.private_files import make_private_folder

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_HEX = frozenset("0123456789abcdef")


def checked_name(name: str, what: str) -> str:
    """A name that is safe as a file's and plain on the wire; UsageError otherwise."""
    if not 1 <= len(name) <= 40 or not set(name) <= _NAME or name.startswith("."):
        raise UsageError(
            f"{name!r} is no name for {what}", hint="up to 40 letters, digits, dots, - and _"
        )
    return name


def _check_keys(path: Path, known: dict[str, Any], *names: str) -> None:
    """StoreError where one of these is no key of 32 bytes in hexadecimal."""
    for name in names:
        text = known.get(name)
        if not isinstance(text, str) or len(text) != 64 or not set(text) <= _HEX:
            raise StoreError(f"{path} is damaged: its {name} key is none")


def _sync_folder(folder: Path) -> None:
    """Have the new name itself on the disk, where the system and the disk know how."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Write a file whole or not at all, on the disk before returning; StoreError where not."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        make_private_folder(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {error}") from error


class Home:
    """The folder, its paths, and careful writing in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = root / "journal.sqlite3"
        self.records = root / "records.sqlite3"
        self.locks = root / "locks"
        self.log = root / "pumpctl.log"
        self.library = root / "library"
        self._pumps = root / "pumps"
        self._operators = root / "operators"

    def make(self) -> None:
        """Make the folder, readable by its owner only; StoreError where that cannot be."""
        try:
            make_private_folder(self.root)
        except OSError as error:
            raise StoreError(f"the home {self.root} cannot be made: {error}") from error

    def read_json(self, path: Path) -> dict[str, Any] | None:
        """A small JSON file of ours, or None where there is none; StoreError where damaged."""
        try:
            text = path.read_text("ascii")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from error
        import json  # only where there is a file to read: 1 ms

        try:
            value = json.loads(text)
        except ValueError as error:
            raise StoreError(f"{path} is damaged: {error}") from error
        if not isinstance(value, dict):
            raise StoreError(f"{path} is damaged: no table in it")
        return value

    def write_json(self, path: Path, value: dict[str, Any]) -> None:
        """Write a secret file of ours as JSON."""
        import json

        self.write_bytes(path, json.dumps(value, indent=1).encode("ascii") + b"\n")

    def write_bytes(self, path: Path, data: bytes) -> None:
        """Write a secret file; see `write_whole`."""
        write_whole(path, data, 0o600)

    def station_id(self, entropy: Callable[[int], bytes]) -> str:
        """This station's id, made once."""
        path = self.root / "station.json"
        known = self.read_json(path)
        if known is None:
            known = {"station": f"st-{entropy(6).hex()}"}
            self.make()
            self.write_json(path, known)
        return str(known["station"])

    # --- keys -----------------------------------------------------------------------

    def operator_key(self, operator: str) -> bytes | None:
        """The operator's private key at this station, if there is one."""
        path = self._operators / f"{operator}.json"
        known = self.read_json(path)
        if known is None:
            return None
        _check_keys(path, known, "private")
        return bytes.fromhex(known["private"])

    def operator_key_mode(self, operator: str) -> int | None:
        """The permission bits of the key's file, or None where there is none."""
        try:
            mode = (self._operators / f"{operator}.json").stat().st_mode
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"the home {self.root} cannot be read: {error}") from error
        return 0o600 if os.name == "nt" else mode & 0o777

    def make_operator_key(self, operator: str, entropy: Callable[[int], bytes]) -> bytes:
        """The same, made where it is missing."""
        private = self.operator_key(operator)
        if private is None:
            private = entropy(32)
            self.make()
            self.write_json(
                self._operators / f"{operator}.json",
                {"operator": operator, "private": private.hex()},
            )
        return private

    def operators(self) -> tuple[str, ...]:
        """Operators who have a key here."""
        return tuple(sorted(path.stem for path in self._operators.glob("*.json")))

    def pairing(self, serial: str, operator: str) -> dict[str, Any]:
        """What pairing left for this pump and operator; NotPaired where there is nothing."""
        checked_name(serial, "a pump")
        path = self._pumps / serial / f"{operator}.json"
        known = self.read_json(path)
        if known is None:
            raise NotPaired(f"operator {operator} of this station is not paired with pump {serial}")
        _check_keys(path, known, "public", "psk")
        return known

    def keep_pairing(self, serial: str, operator: str, value: dict[str, Any]) -> None:
        """Keep what a pairing left."""
        checked_name(serial, "a pump")
        self.write_json(self._pumps / serial / f"{operator}.json", value)

    def forget_pairing(self, serial: str, operator: str) -> None:
        """Forget it."""
        try:
            (self._pumps / checked_name(serial, "a pump") / f"{operator}.json").unlink(
                missing_ok=True
            )
        except OSError as error:
            raise StoreError(f"the pairing cannot be removed: {error}") from error

    def pairings(self) -> tuple[tuple[str, str], ...]:
        """(serial, operator) of every pairing here."""
        return tuple(sorted((path.parent.name, path.stem) for path in self._pumps.glob("*/*.json")))
