"""A run as text, as the contract's `data`, and as JUnit XML for a build server.

Values in, text out; no file is written here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

from pumpctl.conformance.duties import DUTIES, Case, duty_of
from pumpctl.conformance.run import Ran, Skipped

_XML_TEXT = frozenset("\t\n")


def data(ran: Ran) -> dict[str, Any]:
    """The contract's `conformance` → `data`, and what became of the device."""
    return {
        "results": [{"id": one.id, "ok": one.ok, "detail": one.detail} for one in ran.results],
        "not_tested": [skipped._asdict() for skipped in ran.not_tested],
        "passed": len(ran.results) - len(ran.failed),
        "failed": len(ran.failed),
        "firmware": ran.firmware,
        "restored": ran.restored,
        "left": ran.left,
        "interrupted": ran.interrupted,
        "greetings": ran.greetings,
    }


def lines(ran: Ran) -> list[str]:
    """For people: every test under its duty, failures with what was seen."""
    found = [f"Pump {ran.serial} · {ran.model} · firmware {ran.firmware}"]
    for duty, text in DUTIES.items():
        results = [result for result in ran.results if duty_of(result.id) == duty]
        if results:
            found.append(f"{duty}  {text}")
        found += [f"  {'ok  ' if one.ok else 'FAIL'} {one.id:24} {one.detail}" for one in results]
    if ran.not_tested:
        found.append("Not tested:")
        found += [f"  {skipped.id:29} {skipped.reason}" for skipped in ran.not_tested]
    found.append("")
    found.append(f"{len(ran.results) - len(ran.failed)} of {len(ran.results)} tests passed.")
    found.append(ran.left)
    return found


def table(tests: Iterable[Case], not_tested: Iterable[Skipped]) -> dict[str, Any]:
    """These tests, what of it a line alone cannot show, and the duties of both."""
    tests, not_tested = tuple(tests), tuple(not_tested)
    return {
        "results": [],
        "duties": [{"id": name, "duty": text} for name, text in _duties(tests, not_tested)],
        "tests": [
            {
                "id": one.id,
                "duty": one.duty,
                "shows": one.shows,
                "feature": None if one.feature is None else one.feature.name,
            }
            for one in tests
        ],
        "not_tested": [skipped._asdict() for skipped in not_tested],
    }


def table_lines(tests: Iterable[Case], not_tested: Iterable[Skipped]) -> list[str]:
    """The same for people."""
    tests, not_tested = tuple(tests), tuple(not_tested)
    found = []
    for name, text in _duties(tests, not_tested):
        found.append(f"{name}  {text}")
        for one in tests:
            if one.duty == name:
                bit = "" if one.feature is None else f" [{one.feature.name}]"
                found.append(f"  {one.id:24} {one.shows}{bit}")
        found += [
            f"  {other.id:24} not tested: {other.reason}"
            for other in not_tested
            if duty_of(other.id) == name
        ]
    return found


def _duties(tests: Iterable[Case], not_tested: Iterable[Skipped]) -> list[tuple[str, str]]:
    """Those to which one of these belongs, in their order."""
    there = {one.duty for one in tests} | {duty_of(one.id) for one in not_tested}
    return [(name, text) for name, text in DUTIES.items() if name in there]


def junit(ran: Ran) -> bytes:
    """One suite; a test's class is its duty."""
    suite = ET.Element(
        "testsuite",
        name="pumpctl conformance",
        tests=str(len(ran.results) + len(ran.not_tested)),
        failures=str(len(ran.failed)),
        errors="0",
        skipped=str(len(ran.not_tested)),
        time=_seconds(sum(result.took_ms for result in ran.results)),
    )
    properties = ET.SubElement(suite, "properties")
    for name in ("serial", "model", "firmware", "left"):
        ET.SubElement(properties, "property", name=name, value=_text(str(getattr(ran, name))))
    for result in ran.results:
        element = _case(suite, result.id, result.took_ms)
        if not result.ok:
            failure = ET.SubElement(element, "failure", message=_text(result.detail))
            failure.text = _text(result.detail)
    for skipped in ran.not_tested:
        ET.SubElement(_case(suite, skipped.id), "skipped", message=_text(skipped.reason))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: ET.Element, name: str, took_ms: int = 0) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=duty_of(name), name=name, time=_seconds(took_ms)
    )


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def _text(text: str) -> str:
    """What XML can hold: a device may say anything."""
    return "".join(each if each >= " " or each in _XML_TEXT else "?" for each in text)
