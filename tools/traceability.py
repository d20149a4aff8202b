"""docs/traceability.md: requirement, where it is met in code, which tests show it.

The requirements are the list items of docs/safety.md. A place in code is a file of
pumpctl/ that names an id, mostly as `(PRG-04)` in a docstring or a comment. A test is
one with the mark `@pytest.mark.requirement("PRG-03")`, on itself, on its class, on its
module or on one of its parameters. Everything is read as text; nothing is imported.

No line numbers, so that the page changes only when what it says changes. An id that
docs/safety.md does not hold, or a mark that reaches no test, fails generation.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeGuard

from tools.model import GenerateError

SAFETY = "docs/safety.md"

_NOTE = """\
*Generated from [safety.md](safety.md), the code in `pumpctl/` and the marks in `tests/`
by `python3 dev.py generate`: change it there, not here.*
"""

_ID = re.compile(r"(?<![\w-])([A-Z]{3})-(\d+)\b(?:\s+to\s+\1-(\d\d)\b)?")
_OTHER_GROUPS = {"CRC"}  # the same shape, and no requirement
_HEADING = re.compile(r"## (?P<title>.+) \((?P<groups>[A-Z]{3}(?:, [A-Z]{3})*)\)")
_ITEM = re.compile(
    r"- \*\*(?P<id>[A-Z]{3}-\d\d)\*\* "
    r"(?:\((?P<sides>[SPL](?:, [SPL])*)\) )?"
    r"(?P<text>.+?)"
    r"(?: \[(?P<sources>[^][]+)\])?"
)


class Requirement(NamedTuple):
    """One line of docs/safety.md; `sides` is empty where it names none."""

    id: str
    section: str
    sides: str
    text: str
    sources: str


# --- the requirements --------------------------------------------------------------------


def requirements(text: str) -> dict[str, Requirement]:
    """Every requirement of the page, by id, in its order."""
    found: dict[str, Requirement] = {}
    section, groups = "", list[str]()
    for line in _unwrapped(text):
        if line.startswith("## "):
            heading = _HEADING.fullmatch(line)
            section = heading["title"] if heading else ""
            groups = heading["groups"].split(", ") if heading else []
        elif section and line.startswith("- "):
            item = _ITEM.fullmatch(line)
            if item is None:
                raise GenerateError(f"{SAFETY}: this is no requirement: {line[:60]}")
            if item["id"][:3] not in groups or item["id"] in found:
                raise GenerateError(f"{SAFETY}: {item['id']} stands twice or in the wrong section")
            found[item["id"]] = Requirement(
                item["id"], section, item["sides"] or "", item["text"], item["sources"] or ""
            )
    if not found:
        raise GenerateError(f"{SAFETY}: no requirement was found")
    return found


def _unwrapped(text: str) -> Iterator[str]:
    """The page's lines, an item's continuation joined to it."""
    held = ""
    for line in text.splitlines():
        if held.startswith("- ") and re.match(r"  \S", line):
            held += " " + line.strip()
        else:
            yield held
            held = line
    yield held


# --- the code ----------------------------------------------------------------------------


def named(text: str, groups: set[str]) -> list[str]:
    """The ids that a text names, mistyped ones included; "BOL-01 to BOL-03" are three."""
    return [
        f"{match[1]}-{number:0{len(match[2])}}"
        for match in _ID.finditer(text)
        if match[1] in groups or (len(match[2]) == 2 and match[1] not in _OTHER_GROUPS)
        for number in range(int(match[2]), int(match[3] or match[2]) + 1)
    ]


# --- the tests ---------------------------------------------------------------------------


class Marks(NamedTuple):
    """The marks of one file: each test with its ids, and the marks that reach no test."""

    tests: dict[str, set[str]]
    lost: list[str]


def marks(source: str, *, collected: bool = True) -> Marks:
    """Read one file's marks; pytest looks for tests only in files that are `collected`."""
    tree = ast.parse(source)
    values = _values(tree)
    tests: dict[str, set[str]] = {}
    reached: set[ast.Call] = set()
    if collected:
        for name, calls in _tests(tree.body, "", [], values):
            reached.update(calls)
            tests[name] = {each for call in calls for each in _arguments(call)}
    lost = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if _is_mark(node) and (node not in reached or not _arguments(node))
    ]
    return Marks({name: ids for name, ids in tests.items() if ids}, lost)


def _tests(
    body: list[ast.stmt], prefix: str, above: list[ast.Call], values: Mapping[str, ast.AST]
) -> Iterator[tuple[str, list[ast.Call]]]:
    """Each test of a module or class, with every mark that holds for it."""
    statements = list(_statements(body))
    shared = above + [
        call
        for statement in statements
        if "pytestmark" in _targets(statement)
        for call in _calls([statement], values)
    ]
    for each in statements:
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("test"):
                    yield prefix + name, shared + list(_calls(each.decorator_list, values))
            case ast.ClassDef(name=name) if name.startswith("Test"):
                own = shared + list(_calls(each.decorator_list, values))
                yield from _tests(each.body, f"{prefix}{name}::", own, values)
            case _:
                pass


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Those of a body, also inside of `if` and the like."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            below = (each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt))
            yield from _statements(below)


def _values(tree: ast.Module) -> dict[str, ast.AST]:
    """What a module's names stand for, where a decorator may name it: tables and helpers."""
    found: dict[str, ast.AST] = {}
    for statement in _statements(tree.body):
        found.update(dict.fromkeys(_targets(statement), statement))
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("test"):
            found[statement.name] = statement
    return found


def _targets(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _calls(
    nodes: Iterable[ast.AST], values: Mapping[str, ast.AST], seen: frozenset[str] = frozenset()
) -> Iterator[ast.Call]:
    """The marks in some expressions, and in what the names in them stand for."""
    for node in nodes:
        for each in ast.walk(node):
            if _is_mark(each):
                yield each
            elif isinstance(each, ast.Name) and each.id in values and each.id not in seen:
                yield from _calls([values[each.id]], values, seen | {each.id})


def _is_mark(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "requirement"
    )


def _arguments(call: ast.Call) -> list[str]:
    """The ids of a mark; none unless all of them are written out."""
    values = [each.value if isinstance(each, ast.Constant) else None for each in call.args]
    texts = [value for value in values if isinstance(value, str)]
    return texts if len(texts) == len(values) and not call.keywords else []


# --- the page ----------------------------------------------------------------------------


class Trace(NamedTuple):
    """Where each requirement is met and shown, by id; paths from the root, sorted."""

    requirements: dict[str, Requirement]
    code: dict[str, list[str]]
    tests: dict[str, list[str]]


def trace(root: Path) -> Trace:
    """Read a checkout; GenerateError tells every fault at once."""
    try:
        known = requirements((root / SAFETY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GenerateError(f"{SAFETY} is missing") from None
    read = Trace(known, {each: [] for each in known}, {each: [] for each in known})
    groups = {each[:3] for each in known}
    faults = list[str]()

    def add(place: dict[str, list[str]], ids: Iterable[str], path: str, name: str) -> None:
        for each in sorted(set(ids)):
            if each in known:
                place[each].append(name)
            else:
                faults.append(f"{path}: {each} is not in {SAFETY}")

    for path, text in _sources(root, "pumpctl"):
        add(read.code, named(text, groups), path, path)
    for path, text in _sources(root, "tests"):
        try:
            held = marks(text, collected=path.rpartition("/")[2].startswith("test_"))
        except SyntaxError as error:
            faults.append(f"{path}: line {error.lineno}: {error.msg}")
            continue
        for name, ids in sorted(held.tests.items()):
            add(read.tests, ids, path, f"{path}::{name}")
        faults += [f"{path}: {each} reaches no test" for each in held.lost]
    if faults:
        raise GenerateError("; ".join(faults))
    return read


def _sources(root: Path, folder: str) -> Iterator[tuple[str, str]]:
    paths = {path.relative_to(root).as_posix(): path for path in (root / folder).rglob("*.py")}
    for name in sorted(paths):
        yield name, paths[name].read_text(encoding="utf-8")


def page(read: Trace) -> str:
    """The whole page: what is open, then every requirement with its places."""
    open_ = [each for each in read.requirements if not read.tests[each]]
    count = len(read.requirements)
    lines = [
        "# Traceability",
        "",
        _NOTE,
        "From each requirement to the files in which it is met, and to the tests that show it.",
        "A mark says that a test shows something of a requirement, not that nothing is left to",
        "show.",
        "",
        "## Still open",
        "",
    ]
    if open_:
        lines += [f"{len(open_)} of {count} requirements have no test yet:", ""]
        for each in open_:
            hint = " (named in code)" if read.code[each] else ""
            lines.append(f"- [{each}](#{each.lower()}){hint}")
    else:
        lines.append(f"None: each of the {count} requirements has a test.")
    section = ""
    for requirement in read.requirements.values():
        if requirement.section != section:
            section = requirement.section
            lines += ["", f"## {section}"]
        lines += ["", *_entry(requirement, read)]
    return "\n".join(lines) + "\n"


def _entry(requirement: Requirement, read: Trace) -> Iterator[str]:
    sides = f"({requirement.sides}) " if requirement.sides else ""
    yield f"### {requirement.id}"
    yield ""
    yield f"{sides}{requirement.text}"
    yield ""
    yield from _places("code", read.code[requirement.id])
    yield from _places("tests", read.tests[requirement.id])


def _places(kind: str, places: list[str]) -> Iterator[str]:
    if not places:
        yield f"- {kind}: none"
        return
    yield f"- {kind}:"
    for place in places:
        yield f"  - `{place}`"
