"""Our handshakes against a second implementation, in both roles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Deframer, Frame
from pumpctl.wire.noise import KKPSK0, NNPSK0, Cipher, Handshake, Keys, Pattern, public_key
from pumpctl.wire.records import Arrived, Channel
from tests.wire.ends import Drawn
from tests.wire.second_noise import Other

PROLOGUE = b"both greetings"
PSK = bytes(range(100, 132))
STATION, PUMP = bytes(range(32)), bytes(range(32, 64))
PATTERNS = {"NN": NNPSK0, "KK": KKPSK0}

Side = Callable[[str, bool], Handshake]


def ours(name: str, initiator: bool, *, psk: bytes = PSK, prologue: bytes = PROLOGUE) -> Handshake:
    """Our side of a handshake."""
    own, peer = (STATION, PUMP) if initiator else (PUMP, STATION)
    return Handshake(
        PATTERNS[name],
        initiator=initiator,
        prologue=prologue,
        psk=psk,
        entropy=Drawn(f"{name} {initiator}"),
        own=own if name == "KK" else None,
        peer=public_key(peer) if name == "KK" else None,
    )


def theirs(name: str, initiator: bool) -> Other:
    """The other implementation's side."""
    own, peer = (STATION, PUMP) if initiator else (PUMP, STATION)
    static = {"own": own, "peer": public_key(peer)} if name == "KK" else {}
    return Other(name, initiator=initiator, prologue=PROLOGUE, psk=PSK, **static)


def records_pass(keys: Keys, other: Other) -> None:
    """Records of both directions, ours with explicit counters, theirs with set nonces."""
    assert keys.handshake_hash == other.hash
    assert keys.exported == other.exported
    channel = Channel(keys)
    assert channel.session.to_bytes(2, "big") == other.hash[:2]
    for counter, plain in enumerate([b"", b"first", bytes(400)], 1):
        _, (data,) = channel.seal(plain)
        (frame,) = Deframer().feed(data)
        assert isinstance(frame, Frame)
        assert other.open(counter, frame.payload) == plain
        assert data == theirs_would_send(other, channel, counter, frame)
    for counter in (3, 1, 40, 39):  # explicit counters need no order
        sealed = other.seal(counter, b"plain")
        frame = Frame(FrameKind.RECORD, channel.session, counter, 0, True, sealed)
        assert channel.take(frame) == Arrived(counter, b"plain")


def theirs_would_send(other: Other, channel: Channel, counter: int, frame: Frame) -> bytes:
    """The same frame as the second hand spells it."""
    from tests.wire.plain import frame_bytes

    assert other.hash[:2] == channel.session.to_bytes(2, "big")
    return frame_bytes(0x63, channel.session, counter, 0, 1, frame.payload)


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("name", PATTERNS)
def test_we_begin_and_the_other_answers(name: str) -> None:
    station, pump = ours(name, initiator=True), theirs(name, initiator=False)
    pump.read(station.write())
    assert station.read(pump.write()) == b""
    records_pass(station.keys(), pump)


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("name", PATTERNS)
def test_the_other_begins_and_we_answer(name: str) -> None:
    station, pump = theirs(name, initiator=True), ours(name, initiator=False)
    assert pump.read(station.write()) == b""
    station.read(pump.write())
    records_pass(pump.keys(), station)


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("name", PATTERNS)
def test_between_ourselves(name: str) -> None:
    station, pump = ours(name, initiator=True), ours(name, initiator=False)
    first = station.write()
    assert len(first) == 48
    assert pump.read(first) == b""
    second = pump.write()
    assert len(second) == 48
    station.read(second)
    assert station.finished
    assert pump.finished
    one, other = station.keys(), pump.keys()
    assert one.exported == other.exported
    assert one.exported not in (one.handshake_hash, bytes(32))
    assert other.receive.open(one.send.seal(b"x", b"head"), b"head") == b"x"
    assert one.receive.open(other.send.seal(b"y", b""), b"") == b"y"


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("change", [{"psk": bytes(32)}, {"prologue": b"both greetingz"}])
def test_another_psk_or_prologue_fails_at_the_first_message(
    name: str, change: dict[str, bytes]
) -> None:
    station, pump = ours(name, initiator=True, **change), ours(name, initiator=False)
    with pytest.raises(WireError, match="authentication"):
        pump.read(station.write())


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("initiator", [True, False])
def test_another_static_key_fails(initiator: bool) -> None:
    wrong = Handshake(
        KKPSK0,
        initiator=initiator,
        prologue=PROLOGUE,
        psk=PSK,
        entropy=Drawn("wrong"),
        own=bytes(range(1, 33)),
        peer=public_key(PUMP if initiator else STATION),
    )
    right = ours("KK", initiator=not initiator)
    station, pump = (wrong, right) if initiator else (right, wrong)
    with pytest.raises(WireError, match="authentication"):
        pump.read(station.write())


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("name", PATTERNS)
def test_a_forged_message_leaves_no_trace(name: str) -> None:
    station, pump = ours(name, initiator=True), ours(name, initiator=False)
    first = station.write()
    forgeries = [bytes(48), first[:-1], first + b"\0", b"", first[:32], bytes(32)]
    for bit in range(0, 8 * 48, 7):
        damaged = bytearray(first)
        damaged[bit // 8] ^= 1 << bit % 8
        forgeries.append(bytes(damaged))
    for forged in forgeries:
        with pytest.raises(WireError):
            pump.read(forged)
    pump.read(first)
    second = pump.write()
    for forged in [bytes(48), second[:-1], second + b"\0", first]:
        with pytest.raises(WireError):
            station.read(forged)
        assert not station.finished
    station.read(second)
    assert station.keys().exported == pump.keys().exported


LOW_ORDER = (
    bytes(32),
    bytes([1]) + bytes(31),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
)


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:4])
def test_a_key_of_low_order_is_refused(point: bytes) -> None:
    with pytest.raises(WireError, match="low order"):
        ours("KK", initiator=False).read(point + bytes(16))


@pytest.mark.parametrize("pattern", [NNPSK0, KKPSK0], ids=lambda pattern: pattern.name.decode())
def test_keys_must_fit_the_pattern(pattern: Pattern) -> None:
    with pytest.raises(ValueError, match="static keys"):
        Handshake(
            pattern,
            initiator=True,
            prologue=b"",
            psk=PSK,
            entropy=Drawn(""),
            own=None if pattern.static else STATION,
        )


def test_messages_must_be_in_turn() -> None:
    station, pump = ours("NN", initiator=True), ours("NN", initiator=False)
    with pytest.raises(ValueError, match="turn"):
        pump.write()
    with pytest.raises(ValueError, match="turn"):
        station.read(bytes(48))
    with pytest.raises(ValueError, match="not finished"):
        station.keys()
    pump.read(station.write())
    with pytest.raises(ValueError, match="turn"):
        station.write()


def test_a_cipher_counts_by_itself_and_only_what_it_opened() -> None:
    one, other = Cipher(PSK), Cipher(PSK)
    first, second = one.seal(b"1", b""), one.seal(b"2", b"")
    with pytest.raises(WireError):
        other.open(second, b"")
    assert other.open(first, b"") == b"1"
    assert other.open(second, b"") == b"2"
