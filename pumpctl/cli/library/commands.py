"""`library show|check|sign|install`: the limits of this site. No pump is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.library.keys import PassphraseFile, passphrase
from pumpctl.cli.report import Report, Warn, finding_json
from pumpctl.cli.therapy.program import Override, overrides
from pumpctl.errors import (
    LibraryFaulty,
    LibrarySignature,
    PumpctlError,
    StoreError,
    UsageError,
)

if TYPE_CHECKING:
    from pumpctl.station.library_store import InForce
    from pumpctl.therapy.findings import Finding
    from pumpctl.workflows.library.libraries import CheckedLibrary

File = Annotated[Path, typer.Argument(help="A drug library in TOML.")]


def show(
    toml: Annotated[bool, typer.Option("--toml", help="As TOML, without a signature.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the TOML there, to start from.")
    ] = None,
) -> Report:
    """Show the drug library in force: site, version, every limit with its source. No pump is asked.

    Example: pumpctl library show -o site.toml
    """
    from pumpctl.cli.library.text import expiring, library_json, library_lines
    from pumpctl.therapy.library_text import to_toml
    from pumpctl.workflows.library.libraries import library_examined

    context.without_pump()
    found = library_examined(context.station())
    library, marker = found.library, found.marker
    data: dict[str, Any] = {
        "standing": found.standing.value,
        "why": found.why or None,
        **library_json(library),
        "sha256": found.digest,
        "key": None if marker is None else marker.key,
        "installed": None if marker is None else {"at": marker.at, "operator": marker.operator},
    }
    text = "\n".join([*_standing_lines(found), *library_lines(library)])
    if toml or output is not None:
        data["toml"] = to_toml(library)
    if output is not None:
        _write_new(output, to_toml(library))
        data["file"] = str(output)
        text = (
            f"{output} written. Put your site's name, dates and limits, then:\n"
            f"pumpctl library check {output}"
        )
    elif toml:
        text = to_toml(library).rstrip("\n")
    return Report("library.show", data, text, warnings=(*_warnings(found), *expiring(found)))


def check(file: File) -> Report:
    """Check a drug library: every finding at once, and whose signature it bears. No pump is asked.

    A file named - is standard input.

    Example: pumpctl library check site.toml
    """
    from pumpctl.workflows.library.libraries import check_file, counted

    context.without_pump()
    found = check_file(context.station(), file)
    library, hard = found.reading.library, found.reading.hard
    error: PumpctlError | None = None
    if hard:
        error = LibraryFaulty(
            f"{file}: {counted(len(hard), 'hard finding')}",
            hint="correct the library; a hard finding has no override",
            findings=hard,
        )
    elif found.wrong:
        error = LibrarySignature(f"{file}: {found.wrong}")
    data = {
        "site": None if library is None else library.site,
        "version": None if library is None else library.version,
        "issued": None if library is None else _text(library.issued),
        "expires": None if library is None else _text(library.expires),
        "findings": [finding_json(each) for each in found.reading.findings],
        "signed": found.signed,
        "key": None if found.key is None else found.key.id,
        "signature": found.wrong or None,
    }
    return Report(
        "library.check",
        data,
        "\n".join(_check_lines(file, found)),
        error=error,
        warnings=context.warnings(),
    )


def sign(
    file: File,
    key: Annotated[str, typer.Option("--key", metavar="KEY", help="A key's name, or its file.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where the signed file goes; else it takes its place."),
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> Report:
    """Sign a drug library without hard findings; an old signature gives way. No pump is asked.

    The signature stands in two lines of comment at the end of the same file. A key that
    was revoked at this station signs nothing.

    Example: pumpctl library sign site.toml --key pharmacy
    """
    from pumpctl.workflows.library.libraries import sign_file

    context.without_pump()
    made = sign_file(context.station(), file, key, output, lambda: passphrase(passphrase_file, key))
    library = made.library
    command = f"pumpctl library install {made.path}"
    further = f"Put it in force with: {command}"
    if not made.trusted:
        further = (
            "That key is not trusted at this station: nothing that it signs can be put in force "
            f"here.\nAt a station that trusts it: {command}"
        )
    return Report(
        "library.sign",
        {
            "file": str(made.path),
            "site": library.site,
            "version": library.version,
            "key": made.key,
            "sha256": made.sha256,
            "trusted": made.trusted,
        },
        f"{made.path}: library of {library.site}, version {library.version}, "
        f"signed by {made.key}.\n{further}",
        warnings=context.warnings(),
    )


def install(file: File, override: Override = None) -> Report:
    """Put a signed drug library in force at this station. No pump is asked.

    It must be signed by a key that is trusted here, without hard findings, not expired,
    and its version must be above every one that was installed before.

    Example: pumpctl library install site.toml
    """
    from pumpctl.cli.library.text import expiring
    from pumpctl.workflows.library.install import install_file

    context.without_pump()
    done = install_file(context.station(), file, overrides(override))
    library, marker, before = done.library, done.marker, done.before
    lines = [
        f"Library of {library.site}, version {library.version}, is in force until "
        f"{library.expires}."
        if done.changed
        else f"Library of {library.site}, version {library.version}, was in force already."
    ]
    if done.changed and before.marker is not None and before.library.site != library.site:
        lines.append(f"The site was {before.library.site} before.")
    return Report(
        "library.install",
        {
            "site": library.site,
            "version": library.version,
            "issued": _text(library.issued),
            "expires": _text(library.expires),
            "sha256": marker.sha256,
            "key": marker.key,
            "changed": done.changed,
            "before": {
                "site": before.library.site,
                "version": before.library.version,
                "standing": before.standing.value,
            },
        },
        "\n".join(lines),
        warnings=(*context.warnings(), *expiring(context.library())),
    )


# --- underneath ----------------------------------------------------------------------


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _warnings(found: InForce) -> tuple[Warn, ...]:
    """As everywhere, but of what was found by looking strictly."""
    warning = found.warning
    codes = ("LIBRARY_INVALID", "LIBRARY_EXPIRED")
    told = [each for each in context.warnings() if each.code not in codes]
    return (*told, *([] if warning is None else [Warn(*warning)]))


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", hint="choose another name") from error
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be written: {error}") from error


def _standing_lines(found: InForce) -> list[str]:
    library, marker = found.library, found.marker
    lines = [f"Drug library of {library.site}, version {library.version}: {found.standing.value}"]
    if marker is None:
        if found.why:
            lines = ["NO VALID DRUG LIBRARY: the limits below are those that ship", found.why]
        else:
            lines.append("It ships with pumpctl and does not expire.")
    else:
        lines.append(f"Issued {library.issued}, valid until {library.expires}")
        lines.append(f"Signed by {marker.key}, installed {marker.at} by {marker.operator}")
    return lines


def _check_lines(file: Path, found: CheckedLibrary) -> list[str]:
    from pumpctl.workflows.library.libraries import counted

    reading = found.reading
    lines = [_finding_line(file, each) for each in reading.findings]
    if not reading.hard and reading.library is not None:
        soft = (
            counted(len(reading.soft), "soft finding")
            if reading.soft
            else "no hard or soft findings"
        )
        lines.append(
            f"{file}: library of {reading.library.site}, version {reading.library.version}: {soft}."
        )
    if found.key is not None:
        lines.append(f"Signed by {found.key.name}, {found.key.id}, trusted here.")
    elif found.wrong:
        lines.append(f"Signature: {found.wrong}.")
    elif not found.signed:
        lines.append("Not signed.")
    return lines


def _finding_line(file: Path, found: Finding) -> str:
    place = "" if found.line is None else f":{found.line}:{found.column}"
    return f"{file}{place}: {found.severity.value} {found.id}: {found.message} [{found.source}]"
