"""Plug flow: what leaves the catheter's tip, and when, while the pump pushes new fluid in.

The line is a train of plugs from the tip to the pump; every nL that is pushed
in at one end sends one nL out at the other. Exact, for any course of volume:
basal, boluses, pauses. The limits of this picture are stated here, once, for
output and documentation. It knows no programs, no line volumes and no limits
of doses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final

from pumpctl.named import NamedTuple
from pumpctl.quantities import Volume, round_down, round_up
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.state import Fluid, Line

LIMITS_OF_PLUG_FLOW: Final = (
    "Computed as plug flow: what went into the line first leaves it first, unmixed.",
    (
        "In truth fluids mix where they meet, and the middle of a catheter flows faster than its "
        "wall: the first of the new drug arrives before the computed time, the last of the old "
        "one leaves after it. The faster the flow, the longer the two overlap."
    ),
    "What spreads by diffusion from the tip is not counted.",
    "A leak, a kink or a catheter that has come apart is not seen: then less arrives, or nothing.",
)
"""For people, wherever a figure of plug flow is shown."""


class Plug(NamedTuple):
    """So many nL of one fluid; None is free of drug."""

    volume: Fraction | int
    fluid: Fluid | None


Contents = tuple[Plug, ...]
"""What a line holds, from the tip to the pump; nothing of no volume, no equal neighbours."""
Masses = tuple[tuple[str, Fraction], ...]
"""ng of each drug, by its name."""


class Front(NamedTuple):
    """A new fluid reaches the tip: `at` is the exact instant, in ms."""

    fluid: Fluid | None
    at: Fraction


class Tip(NamedTuple):
    """What leaves the tip during one course of volume."""

    courses: tuple[tuple[str, Course], ...]
    """ng of each drug; exact at every whole ms (a front in between is spread over its ms)."""
    fronts: tuple[Front, ...]
    """Of what was behind the tip at the start, in order, as far as it arrives."""
    contents: Contents
    """Of the line afterwards."""

    def course(self, drug: str) -> Course:
        """ng of this drug past the tip."""
        return dict(self.courses).get(drug, Course(()))

    def between(self, start: int, end: int) -> Masses:
        """ng of each drug that leaves from `start` to `end`."""
        return tuple((drug, course.between(start, end)) for drug, course in self.courses)


class Pushed(NamedTuple):
    """A volume pushed into the line: what left at the tip, and what the line then holds."""

    left: Contents
    contents: Contents


def contents(plugs: Iterable[Plug]) -> Contents:
    """Bring a train into its normal form; ValueError for a volume below nothing."""
    made: list[Plug] = []
    for plug in plugs:
        if plug.volume < 0:
            raise ValueError(f"a plug of {plug.volume} nL")
        if made and made[-1].fluid == plug.fluid:
            made[-1] = Plug(made[-1].volume + plug.volume, plug.fluid)
        elif plug.volume:
            made.append(plug)
    return tuple(made)


def contents_of(line: Line, reservoir: Fluid) -> Contents:
    """The line as a pump estimates it: what is at the tip, then the reservoir's fluid.

    Where something else is at the tip and nobody knows how far it reaches, it fills
    the line.
    """
    known = line.front_remaining if line.at_tip != reservoir else Volume(0)
    front = (line.volume if known is None else known).quanta
    ahead = line.at_tip if line.at_tip.concentration else None
    return contents([Plug(front, ahead), Plug(max(0, line.volume.quanta - front), reservoir)])


def volume_in(plugs: Contents) -> Fraction:
    """nL of all plugs together."""
    return sum((Fraction(plug.volume) for plug in plugs), Fraction(0))


def masses_in(plugs: Contents) -> Masses:
    """ng of each drug in these plugs, in the order in which they come."""
    found: dict[str, Fraction] = {}
    for volume, fluid in plugs:
        if fluid is not None:
            mass = Fraction(volume) * fluid.concentration.quanta / 1_000
            found[fluid.drug] = found.get(fluid.drug, Fraction(0)) + mass
    return tuple(found.items())


def mass_of(masses: Masses, drug: str) -> Fraction:
    """ng of this drug among them."""
    return dict(masses).get(drug, Fraction(0))


def push(line: Contents, volume: Fraction | int, fluid: Fluid) -> Pushed:
    """Push so many nL of a fluid into the line: as much leaves at the tip."""
    if volume < 0:
        raise ValueError(f"{volume} nL cannot be pushed")
    train = (*line, Plug(volume, fluid))
    total = volume_in(line) + volume
    return Pushed(contents(_part(train, 0, volume)), contents(_part(train, volume, total)))


def _part(train: Contents, first: Fraction | int, last: Fraction | int) -> Iterator[Plug]:
    """What of a train lies between two volumes, counted from the tip."""
    begins: Fraction | int = 0
    for volume, fluid in train:
        part = min(last, begins + volume) - max(first, begins)
        if part > 0:
            yield Plug(part, fluid)
        begins += volume


def at_tip(line: Contents, moved: Course, fluid: Fluid) -> Tip:
    """What leaves the tip while `moved`, in nL, pushes this fluid into the line."""
    start, end = (moved.breaks[0], moved.breaks[-1]) if moved.breaks else (0, 0)
    total = moved.upto(end)
    train = contents((*line, Plug(total, fluid)))
    fronts = []
    edges = accumulate(plug.volume for plug in train[:-1])
    for volume, (_, behind) in zip(edges, train[1:], strict=True):
        at = moved.when(volume, start)
        if at is None:
            break
        fronts.append(Front(behind, at))
    # Between two of these instants one fluid leaves at one rate; the ms of a front apart.
    times = sorted(
        {*moved.breaks, *(edge(front.at) for front in fronts for edge in (round_down, round_up))}
    )
    pieces: dict[str, list[Piece]] = {
        plug.fluid.drug: [] for plug in train if plug.fluid is not None
    }
    for begins, ends in pairwise(times):
        leaves = contents(_part(train, moved.upto(begins), moved.upto(ends)))
        for drug, mass in masses_in(leaves):
            pieces[drug].append(Piece(begins, ends, mass))
    courses = tuple((drug, Course(own)) for drug, own in pieces.items())
    return Tip(courses, tuple(fronts), push(line, total, fluid).contents)


def switched(before: Course, after: Course, at: Fraction) -> Course:
    """`before` until this instant, `after` from then on; exact at every whole ms.

    Both courses in the same measure. Used where a bridge ends: by volume, and so
    at no whole ms.
    """
    last, first = round_down(at), round_up(at)
    kept = [*before.cut(min((last, *before.breaks)), last).pieces]
    if last != first:
        kept.append(Piece(last, first, before.between(last, at) + after.between(at, first)))
    return Course([*kept, *after.cut(first, max((first, *after.breaks))).pieces])
