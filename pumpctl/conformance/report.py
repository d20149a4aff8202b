"""A run as text, as the contract's `data`, and as JUnit XML for a build server.

Values in, text out; no file is written here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

from pumpctl.conformance.duties import DUTIES, NOT_TESTED, Case
from pumpctl.conformance.run import Ran

_XML_TEXT = frozenset("\t\n")


def data(ran: Ran) -> dict[str, Any]:
    """The contract's `conformance` → `data`, and what became of the device."""
    return {
        "results": [result._asdict() for result in ran.results],
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
    duty = ""
    for result in ran.results:
        if result.id.partition("-")[0] != duty:
            duty = result.id.partition("-")[0]
            found.append(f"{duty}  {DUTIES[duty]}")
        found.append(f"  {'ok  ' if result.ok else 'FAIL'} {result.id:24} {result.detail}")
    if ran.not_tested:
        found.append("Not tested:")
        found += [f"  {skipped.id:29} {skipped.reason}" for skipped in ran.not_tested]
    found.append("")
    found.append(f"{len(ran.results) - len(ran.failed)} of {len(ran.results)} tests passed.")
    found.append(ran.left)
    return found


def table(every: Iterable[Case]) -> dict[str, Any]:
    """The duties, the tests of each, and what a line alone cannot show."""
    return {
        "results": [],
        "duties": [{"id": name, "duty": text} for name, text in DUTIES.items()],
        "tests": [
            {
                "id": one.id,
                "duty": one.duty,
                "shows": one.shows,
                "feature": None if one.feature is None else one.feature.name,
            }
            for one in every
        ],
        "not_tested": [{"id": name, "reason": reason} for name, reason in NOT_TESTED.items()],
    }


def table_lines(every: Iterable[Case]) -> list[str]:
    """The same for people."""
    tests, found = list(every), []
    for name, text in DUTIES.items():
        found.append(f"{name}  {text}")
        for one in tests:
            if one.duty == name:
                bit = "" if one.feature is None else f" [{one.feature.name}]"
                found.append(f"  {one.id:24} {one.shows}{bit}")
        found += [
            f"  {other:24} not tested: {reason}"
            for other, reason in NOT_TESTED.items()
            if other.partition("-")[0] == name
        ]
    return found


def junit(ran: Ran) -> bytes:
    """One suite; a test's class is its duty."""
    suite = ET.Element(
        "testsuite",
        name="pumpctl conformance",
        tests=str(len(ran.results) + len(ran.not_tested)),
        failures=str(len(ran.failed)),
        errors="0",
        skipped=str(len(ran.not_tested)),
    )
    properties = ET.SubElement(suite, "properties")
    for name in ("serial", "model", "firmware", "left"):
        ET.SubElement(properties, "property", name=name, value=_text(str(getattr(ran, name))))
    for result in ran.results:
        element = _case(suite, result.id)
        if not result.ok:
            failure = ET.SubElement(element, "failure", message=_text(result.detail))
            failure.text = _text(result.detail)
    for skipped in ran.not_tested:
        ET.SubElement(_case(suite, skipped.id), "skipped", message=_text(skipped.reason))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=name.partition("-")[0], name=name)


def _text(text: str) -> str:
    """What XML can hold: a device may say anything."""
    return "".join(each if each >= " " or each in _XML_TEXT else "?" for each in text)
