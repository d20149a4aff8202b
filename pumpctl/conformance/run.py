"""A whole run: what the device is, every test, and what it is left with.

Before the first test it must say inside the session that it is in bench mode
and that this key is an admin's; what it delivers is kept and put back at the
end, by the same road as any change. No port, no key file and no screen here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import DUTIES, NOT_TESTED, Case, cases, duty_of
from pumpctl.conformance.faults import Broken, NotApplicable, Silent
from pumpctl.conformance.ready import Found, found, make_ready, put_back
from pumpctl.errors import Corrupt, UsageError
from pumpctl.link.session import Link
from pumpctl.named import NamedTuple
from pumpctl.transport.line import LineLost

_GIVES_UP_AFTER = 3
"""Tests in a row for which the device could not even be made ready."""


class Result(NamedTuple):
    """One test."""

    id: str
    ok: bool
    detail: str
    """What it shows; where it failed, what was seen instead."""
    took_ms: int = 0
    """With what made the device ready for it; 0 where it was not run."""


class Skipped(NamedTuple):
    """A duty, or a test, that this run could not look at."""

    id: str
    reason: str


class Ran(NamedTuple):
    """A whole run."""

    serial: str
    model: str
    firmware: str
    results: tuple[Result, ...]
    not_tested: tuple[Skipped, ...]
    restored: bool
    """Does it deliver the program that it was found with?"""
    left: str
    """What the device is left with, in a sentence or two."""
    changed: bool
    """Was anything activated or stopped on the way?"""
    interrupted: bool
    greetings: int

    @property
    def failed(self) -> tuple[Result, ...]:
        """The tests that did not pass."""
        return tuple(result for result in self.results if not result.ok)


def named(only: Iterable[str]) -> frozenset[str]:
    """These ids as they are written, of tests and duties, tested or not; in any case.

    Raises UsageError for one that there is not.
    """
    written = {one.casefold(): one for one in (*DUTIES, *NOT_TESTED, *(c.id for c in cases()))}
    wanted = list(only)
    strange = [name for name in wanted if name.casefold() not in written]
    if strange:
        raise UsageError(
            f"there is no test {', '.join(strange)}", hint="pumpctl conformance --list shows them"
        )
    return frozenset(written[name.casefold()] for name in wanted)


def matching(only: Iterable[str]) -> tuple[Case, ...]:
    """The tests with these ids, or of these duties; all where nothing is named."""
    wanted = named(only)
    return tuple(one for one in cases() if not wanted or {one.id, one.duty} & wanted)


def left_out(only: Iterable[str]) -> tuple[Skipped, ...]:
    """What of it no line can show, and why."""
    wanted = named(only)
    return tuple(
        Skipped(name, reason)
        for name, reason in NOT_TESTED.items()
        if not wanted or {name, duty_of(name)} & wanted
    )


def chosen(only: Iterable[str]) -> tuple[Case, ...]:
    """The tests to run; UsageError for a name behind which there is none to run."""
    wanted = named(only)
    for name in sorted(wanted):
        if not matching([name]):
            reasons = "; ".join(f"{one.id}: {one.reason}" for one in left_out([name]))
            raise UsageError(
                f"{name} is not tested over a line. {reasons}",
                hint="pumpctl conformance --list shows what is",
            )
    return matching(wanted)


def run(
    bench: Bench,
    wanted: tuple[Case, ...],
    *,
    not_tested: tuple[Skipped, ...] = (),
    ticks: Callable[[], int] = lambda: 0,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Ran:
    """Every test that applies, and the device as it was found.

    `not_tested` goes into the report as it is; `ticks` are monotonic milliseconds.
    Raises NotOnTheBench, NotAdmin, NotFit, NotRestorable or a LinkError before
    anything was changed; later nothing but a bug of ours ends a run early.
    """
    try:
        before = found(bench)
    except Broken as error:
        raise Corrupt(f"this is no pump that can be tested: {error}") from error
    Link.ever_sent = True  # from here on an interruption is one of a pump that was changed
    results: list[Result] = []
    skipped = list(not_tested)
    lost, unready, interrupted = "", 0, False
    try:
        for place, one in enumerate(wanted):
            progress(place, len(wanted), one.id)
            if one.feature is not None and not bench.offers(one.feature):
                skipped.append(Skipped(one.id, f"the greeting does not offer {one.feature.name}"))
                continue
            if lost:
                results.append(Result(one.id, False, f"not run: {lost}"))
                continue
            began = ticks()
            result, was_ready = _one(bench, one, before)
            if isinstance(result, Result):
                results.append(result._replace(took_ms=ticks() - began))
            else:
                skipped.append(result)
            unready = 0 if was_ready else unready + 1
            if unready >= _GIVES_UP_AFTER:
                lost = "the device cannot be made ready any more"
    except LineLost as error:
        lost = error.message
        done = {result.id for result in results} | {one.id for one in skipped}
        results += [
            Result(one.id, False, f"not run: {lost}") for one in wanted if one.id not in done
        ]
    except KeyboardInterrupt:
        interrupted = True
    restored, left = _leave(bench, before, lost=bool(lost))
    identity = bench.identity
    return Ran(
        identity.serial,
        identity.model,
        identity.firmware,
        tuple(results),
        tuple(skipped),
        restored,
        left,
        bench.changed,
        interrupted,
        bench.talk.greetings,
    )


def _one(bench: Bench, one: Case, before: Found) -> tuple[Result | Skipped, bool]:
    """Run one test; its result, and whether the device could be made ready for it."""
    try:
        make_ready(bench, before)
    except Broken as error:
        bench.forget_session()
        return Result(one.id, False, f"the device could not be made ready: {error}"), False
    try:
        one.run(bench)
    except NotApplicable as error:
        return Skipped(one.id, str(error)), True
    except Broken as error:
        if isinstance(error, Silent):
            bench.forget_session()
        return Result(one.id, False, str(error)), True
    return Result(one.id, True, one.shows), True


def _leave(bench: Bench, before: Found, *, lost: bool) -> tuple[bool, str]:
    """Put back what was found, deliver, and say what could not be put back.

    Where an answer was `lost`, it may have been to a change.
    """
    if not bench.changed and not lost:
        return True, "Nothing was changed."
    try:
        return True, put_back(bench, before)
    except (Broken, LineLost) as error:
        return False, f"The program that was found could NOT be put back: {error}"
