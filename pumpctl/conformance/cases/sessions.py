"""How sessions end, and what another one may see (sections 4 and 7)."""

from __future__ import annotations

from pumpctl.conformance.bench import NO_CHAIN, Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.conformance.session import on_line
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Delivery, LogKind, Purpose, Refuse, Role
from pumpctl.wire.greeting import MAJOR

_OTHER_SESSION = 0x09CC
_SESSION_CLOSED = 0x0745


@case("P6-close", "CLOSE is answered by CLOSED; then the session is over, and its staging gone.")
def close(bench: Bench) -> None:
    bench.stage(bench.samples.flex())
    first = bench.status().log_next
    bench.get(m.Close(), m.Closed)
    late = bench.session.seal(m.Stop(bench.new_id(), NO_CHAIN))
    bench.silent_without_session(late.data, "a record of a closed session")
    bench.forget_session()
    after = bench.status()
    same("staged", after.staged, None)
    same("stopped_for", after.stopped_for, None)
    reasons = [e.a for e in bench.entries(first) if e.kind is LogKind.STAGE_DROPPED]
    same("the reason in the log", reasons, [_SESSION_CLOSED])


@case("P6-other-session", "Another session's first record drops what was staged, and ends the old.")
def other_session(bench: Bench) -> None:
    staged = bench.staged(bench.samples.flex())
    asked = bench.activation(staged)
    first, old = bench.status().log_next, bench.session
    bench.open()
    same("staged", bench.status().staged, None)
    bench.refused(m.GetReadback(), Refuse.NOTHING_STAGED)
    bench.refused(asked, Refuse.NOTHING_STAGED)
    bench.silent(old.seal(asked).data, "a record of the session before")
    reasons = [e.a for e in bench.entries(first) if e.kind is LogKind.STAGE_DROPPED]
    same("the reason in the log", reasons, [_OTHER_SESSION])


@case("P9-repeat-session", "An id that was applied is known in every later session.")
def repeat_session(bench: Bench) -> None:
    asked = bench.activation(bench.staged(bench.samples.flex()))
    first = bench.get(asked, m.Done)
    bench.open()
    with bench.nothing_written():
        same("the repeated answer", bench.get(asked, m.Done), first._replace(repeated=True))


@case("P19-first-record", "STOP works as the first record of a fresh session.")
def first_record(bench: Bench) -> None:
    greeted = bench.talk.greet(bench.talk.own_greeting(bench.own.key))
    bench.take_over(bench.talk.shake(greeted, bench.own))
    bench.stop()
    same("delivery", bench.status().delivery, Delivery.STOPPED)


@case("L5-pending", "A finished handshake leaves the running session alone until its first record.")
def pending(bench: Bench) -> None:
    staged = bench.staged(bench.samples.flex())
    greeted = bench.talk.greet(bench.talk.own_greeting(bench.own.key))
    waiting = bench.talk.shake(greeted, bench.own)
    bench.ping()
    told = bench.status().staged
    same("what is staged", None if told is None else told.content, staged.content)
    old = bench.session
    bench.take_over(waiting)
    bench.ping()
    bench.silent(old.seal(m.Ping(bytes(16))).data, "a record of the session before")


@case("P12-sessions", "A new session has other keys: its counters begin anew, records differ.")
def new_keys(bench: Bench) -> None:
    old = bench.session
    recorded = old.seal(m.Stop(bench.new_id(), NO_CHAIN))
    bench.talk.send(b"\0")
    bench.open()
    expect(bench.session.number != old.number, "the same session number twice")
    with bench.nothing_written():
        bench.silent(recorded.data, "a recorded STOP of another session")
        moved = [frame._replace(session=bench.session.number) for frame in recorded.frames]
        ahead = [frame._replace(counter=bench.session.next + 9) for frame in moved]
        bench.silent(on_line(ahead), "a recorded STOP under this session's number")


@case("P10-role", "IDENTITY names the role that the pump holds beside this key.")
def role(bench: Bench) -> None:
    same("role", bench.get(m.GetIdentity(), m.Identity).role, Role.ADMIN)


@case("P10-pair", "PAIR outside of a pairing session is refused as ROLE.")
def pair(bench: Bench) -> None:
    first = bench.status().log_next
    asked = m.Pair("conformance", "nobody", Role.ADMIN, bench.talk.entropy(32))
    with bench.nothing_written():
        bench.refused(asked, Refuse.ROLE)
    kinds = [entry.kind for entry in bench.entries(first)]
    expect(LogKind.PAIRED not in kinds, "a key was taken in")


@case("P10-unknown-key", "A role is granted to, and taken from, a known key only.")
def unknown_key(bench: Bench) -> None:
    with bench.nothing_written():
        nobody = bench.talk.entropy(8)
        bench.refused(m.Grant(nobody, Role.ADMIN), Refuse.NOT_FOUND)
        bench.refused(m.Unpair(nobody), Refuse.NOT_FOUND)


@case("P10-grant-same", "Granting the role that a key has answers GRANTED and changes nothing.")
def grant_same(bench: Bench) -> None:
    with bench.nothing_written():
        told = bench.get(m.Grant(bench.own.key, Role.ADMIN), m.Granted)
        same("the answer", told, m.Granted(bench.own.key, Role.ADMIN))


@case("L3-major-looks", "A session of another major version looks, may stop, and nothing else.")
def major_looks(bench: Bench) -> None:
    own = bench.talk.own_greeting(bench.own.key, Purpose.SESSION, MAJOR + 1)
    greeted = bench.talk.greet(own)
    bench.take_over(bench.talk.shake(greeted, bench.own))
    bench.ping()
    bench.status()
    bench.get(m.GetIdentity(), m.Identity)
    bench.get(m.GetProgram(), m.ProgramReport)
    with bench.nothing_written():
        staging = m.StageProgram(bench.tag, bench.samples.flex())
        bench.refused(staging, Refuse.UNSUPPORTED)
        bench.refused(m.Resolve(bench.new_id()), Refuse.UNSUPPORTED)
        bench.refused(m.CancelBolus(bench.new_id(), NO_CHAIN), Refuse.UNSUPPORTED)
        activate = m.Activate(bench.new_id(), bytes(32), 1, bytes(8), NO_CHAIN)
        bench.refused(activate, Refuse.UNSUPPORTED)
    bench.stop()
    same("delivery", bench.status().delivery, Delivery.STOPPED)
    bench.forget_session()
