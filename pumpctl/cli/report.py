"""What a command returns, and the one place that puts it on stdout.

With --json, stdout holds exactly one document, on failure too, and everything
for people goes to stderr. Without, stdout holds the text.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from pumpctl.errors import PumpctlError, StoreError
from pumpctl.named import NamedTuple

TOLD = "NOTE"
"""The code of a warning that was put on stderr when it came up."""


class Warn(NamedTuple):
    """Something to know that is no failure. `code` is API."""

    code: str
    message: str


class Report(NamedTuple):
    """A command's value, ready to be rendered either way."""

    schema: str
    """The command's words joined by dots."""
    data: dict[str, Any]
    text: str | Callable[[], None]
    """For people: text, or a function that draws with rich."""
    pump: tuple[str, str] | None = None
    """Serial and model."""
    warnings: tuple[Warn, ...] = ()
    error: PumpctlError | None = None
    """A failure that has a result beside it, as a check with hard findings."""
    exit_code: int = 0


def finding_json(finding: Any) -> dict[str, Any]:
    """A finding as the contract writes it."""
    severity = getattr(finding.severity, "value", finding.severity)
    return {
        "id": finding.id,
        "severity": severity,
        "message": finding.message,
        "source": finding.source,
        "value": finding.value,
        "limit": finding.limit,
        "line": finding.line,
        "column": finding.column,
    }


def error_json(error: PumpctlError) -> dict[str, Any]:
    """The `error` of a JSON document."""
    findings: Iterable[Any] = error.findings if isinstance(error.findings, tuple) else ()
    told = {
        "code": error.code,
        "exit": error.exit_code,
        "changed": error.changed,
        "message": error.message,
        "hint": error.hint,
        "findings": [finding_json(finding) for finding in findings],
    }
    pump_code = getattr(error, "pump_code", None)
    if pump_code is not None:
        told["pump_code"] = pump_code
    return told


def emit(report: Report, *, as_json: bool) -> int:
    """Render a report; its exit code."""
    code = report.error.exit_code if report.error is not None else report.exit_code
    for warning in report.warnings:
        if warning.code != TOLD:
            _say(f"warning: {warning.message}")
    written = _put(json_line(report)) if as_json else _put(_fitting(report.text))
    if report.error is not None:
        complain(report.error, findings=as_json or not report.text)
    elif written and therapy_was_sent():
        _say("The pump WAS changed, and it is recorded: pumpctl status shows it.")
    return code or written


def therapy_was_sent() -> bool:
    """Has this process sent a change of therapy to a pump? Loads nothing to find out."""
    link = sys.modules.get("pumpctl.link.session")
    return link is not None and bool(link.Link.ever_sent)


def _document(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = {
        "schema": f"pumpctl.{report.schema}/1",
        "ok": report.error is None,
        "pump": None
        if report.pump is None
        else {"serial": report.pump[0], "model": report.pump[1]},
        "data": report.data,
        "warnings": [warning._asdict() for warning in report.warnings],
    }
    if report.error is not None:
        document["error"] = error_json(report.error)
    return document


def _error_document(error: PumpctlError) -> dict[str, Any]:
    return {"schema": "pumpctl.error/1", "ok": False, "error": error_json(error)}


def emit_error(error: PumpctlError, *, as_json: bool) -> int:
    """Render a failure; its exit code."""
    if as_json:
        _put(json_line(error))
    complain(error)
    return error.exit_code


def json_line(told: Report | PumpctlError) -> str:
    """The JSON document of a result or a failure, in one line, in letters that stdout takes."""
    return _json_text(_error_document(told) if isinstance(told, PumpctlError) else _document(told))


def _json_text(document: dict[str, Any]) -> str:
    import json

    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:  # a file name of other bytes, or a terminal of few letters
        text = json.dumps(document)
    return text


def _fitting(text: str | Callable[[], None]) -> str | Callable[[], None]:
    """Text in lines that this terminal can show; a drawing sees to that itself."""
    if callable(text):
        return text
    from pumpctl.cli.folding import folded

    return folded(text, sys.stdout)


def _put(text: str | Callable[[], None]) -> int:
    """Put a result on stdout: 0, or 11 where it does not take it.

    A reader that went away has seen what it wanted: that is no failure.
    """
    try:
        if callable(text):
            text()
        elif text:
            print(text)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # Keep Python from trying again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            _say(f"pumpctl: the result cannot be written: {error}")
            return StoreError.exit_code
    return 0


def complain(error: PumpctlError, *, findings: bool = True) -> None:
    """An error for people, on stderr; one that nobody can read any more is no further error."""
    every = error.findings if findings and isinstance(error.findings, tuple) else ()
    named = [one for one in every if one.severity.value != "note"]
    said = error.message
    if named and error.changed == "no" and said == "; ".join(one.message for one in named):
        said = "refused, nothing was changed:"  # each stands below, by its name
    lines = [f"pumpctl: {said}"]
    lines += [f"  {one.severity.value} {one.id}: {one.message}" for one in named]
    if error.changed == "yes":
        lines.append("The pump WAS changed.")
    elif error.changed == "unknown":
        lines.append("It is NOT KNOWN whether the pump was changed.")
    if error.hint:
        lines.append(f"  {error.hint}")
    _say("\n".join(lines))


def _say(text: str) -> None:
    """Put text on stderr; where nobody can read it, that is no failure of what was done."""
    from pumpctl.cli.folding import folded

    with suppress(OSError):
        print(folded(text, sys.stderr), file=sys.stderr, flush=True)
