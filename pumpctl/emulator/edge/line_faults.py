"""A line that misbehaves: frames lost or doubled, bits flipped, everything late, or no line.

Stands between an end of the line and the firmware, and treats both directions
alike. A pure function of what passes, the settings, the time it is told and a
seed; how the bytes came in pieces makes no difference. Of frames it knows only
that each ends with a zero byte; it knows neither ends nor pump, but for the one
function that asks a pump's world how its line is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pumpctl.emulator.body.faults import FaultKind
from pumpctl.named import NamedTuple
from pumpctl.wire.frames import MOST_STUFFED

if TYPE_CHECKING:
    from pumpctl.emulator.firmware import Firmware

MILLION = 1_000_000
_WORD = (1 << 64) - 1
_MOST_UNDER_WAY = 1 << 18
"""Bytes in one direction; what comes on top of them is lost, as at the ends themselves."""


class Settings(NamedTuple):
    """How the line is now, in each direction."""

    drop: int = 0
    """Frames that never arrive, per million."""
    duplicate: int = 0
    """Frames that arrive twice, per million."""
    corrupt: int = 0
    """Bits that arrive flipped, per million; delimiters have bits like any other byte."""
    delay: int = 0
    """ms from one end to the other."""
    disconnect: bool = False
    """There is no line."""


SOUND = Settings()

FaultsOf = Callable[["Firmware"], Settings]
"""How the line of this pump is now."""


def faults_of_world(firmware: Firmware) -> Settings:
    """What the pump's world does to its line now."""
    world = firmware.core.world
    if not world.has_faults:
        return SOUND
    now = firmware.core.engine.world_time
    return Settings(
        drop=world.amount(FaultKind.DROP, now) or 0,
        duplicate=world.amount(FaultKind.DUPLICATE, now) or 0,
        corrupt=world.amount(FaultKind.CORRUPT, now) or 0,
        delay=world.amount(FaultKind.DELAY, now) or 0,
        disconnect=world.amount(FaultKind.DISCONNECT, now) is not None,
    )


class _Dice:
    """SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed everywhere."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _WORD

    def draw(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + 0x9E37_79B9_7F4A_7C15) & _WORD
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9) & _WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB) & _WORD
        return mixed ^ (mixed >> 31)

    def hits(self, per_million: int) -> bool:
        """Does it happen this time?"""
        return self.draw() % MILLION < per_million


class _Way:
    """One direction."""

    def __init__(self, seed: int) -> None:
        self._fate, self._noise = _Dice(seed), _Dice(~seed)
        self._tail = bytearray()
        """The beginning of a frame whose end has not come yet."""
        self._under_way: deque[tuple[int, bytes]] = deque()
        self._size = 0

    def carry(self, data: bytes, settings: Settings, now_ms: int) -> list[bytes]:
        """Take what was sent; what arrives now, in order."""
        if settings is SOUND and not self._tail and not self._under_way:
            return [data] if 0 < len(data) <= _MOST_UNDER_WAY else []  # as nearly always
        for piece in self._pieces(data, settings):
            if settings.drop and self._fate.hits(settings.drop):
                continue
            twice = settings.duplicate and self._fate.hits(settings.duplicate)
            for _ in range(2 if twice else 1):
                self._send(self._spoiled(piece, settings.corrupt), now_ms + settings.delay)
        arrived = []
        while self._under_way and self._under_way[0][0] <= now_ms:
            piece = self._under_way.popleft()[1]
            self._size -= len(piece)
            arrived.append(piece)
        return arrived

    def due_at(self) -> int | None:
        """When the next piece arrives."""
        return self._under_way[0][0] if self._under_way else None

    def clear(self) -> None:
        """Forget what is under way."""
        self._tail.clear()
        self._under_way.clear()
        self._size = 0

    def _pieces(self, data: bytes, settings: Settings) -> list[bytes]:
        """Whole frames while the line has faults; whatever there is on a sound one."""
        self._tail += data
        whole: list[bytes] = []
        if settings == SOUND:
            if self._tail:
                whole.append(bytes(self._tail))
                self._tail.clear()
            return whole
        while (end := self._tail.find(0)) >= 0:
            whole.append(bytes(self._tail[: end + 1]))
            del self._tail[: end + 1]
        while len(self._tail) > MOST_STUFFED:  # no frame is that long: it is not waited for
            whole.append(bytes(self._tail[:MOST_STUFFED]))
            del self._tail[:MOST_STUFFED]
        return whole

    def _spoiled(self, piece: bytes, per_million: int) -> bytes:
        if not per_million:
            return piece
        bits = int.from_bytes(piece, "big")
        for place in range(8 * len(piece)):
            bits ^= self._noise.hits(per_million) << place
        return bits.to_bytes(len(piece), "big")

    def _send(self, piece: bytes, due: int) -> None:
        if self._size + len(piece) > _MOST_UNDER_WAY:
            return
        if self._under_way:  # a line does not let one byte overtake another
            due = max(due, self._under_way[-1][0])
        self._under_way.append((due, piece))
        self._size += len(piece)


class LineFaults:
    """One line between a station and a pump. `settings` is asked anew at every use."""

    def __init__(self, settings: Callable[[], Settings], seed: int) -> None:
        self._settings = settings
        self._to_pump, self._to_station = _Way(2 * seed), _Way(2 * seed + 1)

    def to_pump(self, data: bytes, now_ms: int) -> list[bytes]:
        """The station sends this (or nothing); what reaches the pump now."""
        return self._carry(self._to_pump, data, now_ms)

    def to_station(self, data: bytes, now_ms: int) -> list[bytes]:
        """The pump sends this (or nothing); what reaches the station now."""
        return self._carry(self._to_station, data, now_ms)

    def due_in(self, now_ms: int) -> int | None:
        """After how many ms something that is under way arrives; None where nothing is."""
        due = [at for way in (self._to_pump, self._to_station) if (at := way.due_at()) is not None]
        return max(0, min(due) - now_ms) if due else None

    @property
    def disconnected(self) -> bool:
        """Is there no line now?"""
        return self._settings().disconnect

    def clear(self) -> None:
        """The line was hung up: what was under way arrives nowhere."""
        self._to_pump.clear()
        self._to_station.clear()

    def _carry(self, way: _Way, data: bytes, now_ms: int) -> list[bytes]:
        settings = self._settings()
        if settings.disconnect:
            self.clear()
            return []
        return way.carry(data, settings, now_ms)
