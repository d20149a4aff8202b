"""The pump's time: a monotonic counter that times delivery, and its label.

The counter follows the host's time plus a stored offset, or stands still in a
frozen pump until it is advanced; it never runs back. Its crystal may be off by
so many parts in a million. The label is UTC and a fixed offset; the pump never
shifts itself (TIM-01, TIM-03). The host's time is handed in; no clock is read here.
"""

from __future__ import annotations

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
_JITTER_MS = 60_000
"""A host clock set back by no more than this is waited for, not followed."""


class Clock:
    """Counter, label, and how they follow the host."""

    def __init__(
        self,
        *,
        counter: int,
        utc_base: int,
        offset_min: int,
        frozen: bool,
        host_offset: int,
        target: int,
        drift_ppm: int = 0,
        drift_from: int = 0,
    ) -> None:
        self.counter = counter
        self.utc_base = utc_base
        self.offset_min = offset_min
        self.frozen = frozen
        self.host_offset = host_offset
        self.frozen_target = target
        self.drift_ppm = drift_ppm
        self.drift_from = drift_from

    def target(self, host: int) -> int:
        """The counter that the pump should have reached when the host's clock shows this."""
        if self.frozen:
            return max(self.counter, self.frozen_target)
        due = host + self.host_offset + self._drifted(host)
        if self.counter - due > _JITTER_MS:
            # The host's clock was set back: the pump goes on from where it is.
            self.host_offset += self.counter - due
        return max(self.counter, due)

    def advance(self, host: int, duration: int) -> None:
        """Make it due this much later than it is now."""
        if self.frozen:
            own = duration + duration * self.drift_ppm // 1_000_000
            self.frozen_target = max(self.counter, self.frozen_target) + own
        else:
            self.target(host)
            self.host_offset += duration + duration * self.drift_ppm // 1_000_000

    def not_before(self, host: int, counter: int) -> None:
        """Make at least this counter due."""
        if self.target(host) < counter:
            if self.frozen:
                self.frozen_target = counter
            else:
                self.host_offset = counter - host - self._drifted(host)

    def drift(self, host: int, ppm: int) -> None:
        """From now on run faster than the host's clock by so much (slower: below nothing)."""
        self.host_offset += self._drifted(host)
        self.drift_ppm, self.drift_from = ppm, host

    def _drifted(self, host: int) -> int:
        return (host - self.drift_from) * self.drift_ppm // 1_000_000

    @property
    def utc(self) -> int:
        """The label now, UTC ms."""
        return self.utc_base + self.counter

    @property
    def local(self) -> int:
        """The local label now: UTC ms plus the offset."""
        return self.utc + self.offset_min * MINUTE_MS

    def utc_of(self, counter: int) -> int:
        """The label that belongs to a counter."""
        return self.utc_base + counter
