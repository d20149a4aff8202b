"""Instants and dates: UTC milliseconds with the offset of the clock that read them.

Pure integer arithmetic of the proleptic Gregorian calendar. Nothing here asks
what time it is, and nothing knows time zones: an offset is a number that came
with the instant, and never changes by itself (TIM-03).
"""

from __future__ import annotations

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple

DAY_MS = 86_400_000
MINUTE_MS = 60_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days as they are written; their index is the number of the day everywhere."""

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""The same as they are shown."""

_MAX_OFFSET = 14 * 60


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day counted from 1970-01-01."""
    days += 719_468  # from 0000-03-01, so that a leap day ends its year
    era, of_era = divmod(days, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, day


def _counted(year: int, month: int, day: int) -> int:
    """The day counted from 1970-01-01."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


class Date(NamedTuple):
    """A day of the calendar, counted from 1970-01-01; written YYYY-MM-DD."""

    number: int

    def __str__(self) -> str:
        year, month, day = _civil(self.number)
        return f"{year:04d}-{month:02d}-{day:02d}"

    def plus(self, days: int) -> Date:
        """The date so many days later, or earlier."""
        return Date(self.number + days)

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return (self.number + 3) % 7

    @classmethod
    def parse(cls, text: str) -> Date:
        """Read YYYY-MM-DD, and nothing else."""
        parts = text.split("-")
        if (
            [len(part) for part in parts] == [4, 2, 2]
            and text.isascii()
            and all(part.isdigit() for part in parts)
        ):
            year, month, day = map(int, parts)
            if year >= 1 and 1 <= month <= 12 and day >= 1:
                number = _counted(year, month, day)
                if _civil(number) == (year, month, day):
                    return cls(number)
        raise UsageError(f"{_shown(text)} is not a date", hint="a date is written 2026-03-31")


class Moment(NamedTuple):
    """An instant, and the fixed offset of the clock on which it was read."""

    utc_ms: int
    offset_min: int = 0

    @property
    def label_ms(self) -> int:
        """What that clock's face showed, in ms since its own 1970-01-01 00:00."""
        return self.utc_ms + self.offset_min * MINUTE_MS

    @property
    def date(self) -> Date:
        """The date on that clock."""
        return Date(self.label_ms // DAY_MS)

    @property
    def day(self) -> int:
        """The weekday on that clock, 0 for Monday."""
        return self.date.weekday

    @property
    def minute(self) -> int:
        """The minute of the day on that clock, 0 to 1439."""
        return self.label_ms % DAY_MS // MINUTE_MS

    def plus(self, ms: int) -> Moment:
        """So many milliseconds later, on the same clock."""
        return self._replace(utc_ms=self.utc_ms + ms)

    def label(self) -> str:
        """For people: `2026-03-31 14:07`, the clock's face without its offset."""
        return f"{self.date} {clock_text(self.minute)}"

    def __str__(self) -> str:
        """ISO 8601 with an offset; seconds always, milliseconds where there are some."""
        in_day = self.label_ms % DAY_MS
        seconds, ms = divmod(in_day, 1_000)
        time = f"{clock_text(self.minute)}:{seconds % 60:02d}" + (f".{ms:03d}" if ms else "")
        hours, minutes = divmod(abs(self.offset_min), 60)
        sign = "-" if self.offset_min < 0 else "+"
        zone = f"{sign}{hours:02d}:{minutes:02d}" if self.offset_min else "Z"
        return f"{self.date}T{time}{zone}"

    @classmethod
    def parse(cls, text: str) -> Moment:
        """Read ISO 8601, `2026-03-31T14:07[:30[.250]]` and an offset, which must be there."""
        found = _read(text) if text.isascii() and len(text) <= 32 else None
        if found is None:
            raise UsageError(
                f"{_shown(text)} is not a time with an offset",
                hint="a time is written 2026-03-31T14:07:00+02:00, or with Z for UTC",
            )
        return found


def clock_text(minute: int) -> str:
    """`07:05` of a minute of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")


def _read(text: str) -> Moment | None:
    if len(text) < 17 or text[10] not in "T ":
        return None
    offset = _offset(text[-1:]) if text[-1] == "Z" else _offset(text[-6:])
    time = text[11:-1] if text[-1] == "Z" else text[11:-6]
    clock, _, part = time.partition(".")
    fields = clock.split(":")
    if offset is None or not 2 <= len(fields) <= 3 or ("." in time and len(fields) == 2):
        return None
    if not all(len(field) == 2 and field.isdigit() for field in fields):
        return None
    if "." in time and not (part.isdigit() and 1 <= len(part) <= 3):
        return None
    hour, minute, second, *_ = [*map(int, fields), 0]
    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        day = Date.parse(text[:10]).number
    except UsageError:
        return None
    in_day = (hour * 60 + minute) * MINUTE_MS + second * 1_000 + int(part.ljust(3, "0") or 0)
    return Moment(day * DAY_MS + in_day - offset * MINUTE_MS, offset)


def _offset(text: str) -> int | None:
    """Minutes east of UTC of `Z` or `+02:00`."""
    if text == "Z":
        return 0
    hours, _, minutes = text[1:].partition(":")
    if text[0] not in "+-" or len(text) != 6 or not (hours + minutes).isdigit():
        return None
    if len(hours) != 2 or int(minutes) > 59:
        return None
    count = int(hours) * 60 + int(minutes)
    if count > _MAX_OFFSET:
        return None
    return -count if text[0] == "-" else count
