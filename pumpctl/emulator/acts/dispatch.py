"""From a message to its handler: the role × message matrix, and nothing else.

Default deny (SEC-06). Which roles may send what is declared with each message;
which of them this firmware can do is the table below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pumpctl.emulator.acts import alarm_test, keys, look, stage, treat
from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.core import Core
from pumpctl.emulator.memory.flash import FlashError
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Refuse
from pumpctl.wire.greeting import MAJOR
from pumpctl.wire.message import Spec, permits, spec_of
from pumpctl.wire.messages_implant import GetImplant

Handler = Callable[[Core, Caller, Any], Any]

HANDLERS: dict[type, Handler] = {
    m.Ping: look.ping,
    m.GetIdentity: look.identity,
    m.GetStatus: look.status,
    m.GetProgram: look.program,
    m.GetOperation: look.operation,
    m.GetLog: look.log,
    m.Repeat: look.not_kept,
    GetImplant: look.implant,
    m.ReleaseLog: keys.release,
    **dict.fromkeys(stage.ACTS, stage.stage),
    m.GetReadback: stage.readback,
    m.Discard: stage.discard,
    m.Activate: treat.activate,
    m.Stop: treat.stop,
    m.CancelBolus: treat.cancel_bolus,
    m.Resolve: treat.resolve,
    m.Pair: keys.pair,
    m.Grant: keys.grant,
    m.Unpair: keys.unpair,
    m.AlarmTest: alarm_test.sound,
}
"""Every message of a station but CLOSE, which is the session's own matter."""

IN_PAIRING: frozenset[type] = frozenset({m.Ping, m.Pair, m.Close})
"""All that a pairing session may say."""

OF_ANOTHER_MAJOR: frozenset[type] = frozenset(
    {
        m.Ping,
        m.Close,
        m.GetIdentity,
        m.GetStatus,
        m.GetProgram,
        m.GetOperation,
        m.GetLog,
        m.Repeat,
        GetImplant,
        m.GetReadback,
        m.Stop,
    }
)
"""A station of another major version looks, and stops (TEL-06, STP-01)."""


def handle(core: Core, caller: Caller, message: Any) -> Any:
    """The answer to a request: a reply or a Refusal. Closing is the session's own matter."""
    try:
        spec = spec_of(message)
        _permit(core, caller, spec)
        return HANDLERS.get(spec.cls, _unsupported)(core, caller, message)
    except Refused as no:
        return no.message()
    except FlashError as error:
        return Refused(Refuse.FLASH, str(error)).message()


def _unsupported(_core: Core, _caller: Caller, message: Any) -> Any:
    raise Refused(Refuse.UNSUPPORTED, f"{spec_of(message).op.name} is not supported by this pump")


def _permit(core: Core, caller: Caller, spec: Spec) -> None:
    if caller.major != MAJOR and spec.cls not in OF_ANOTHER_MAJOR:
        raise Refused(Refuse.UNSUPPORTED, "another major version of the protocol only looks")
    if caller.pairing:
        if spec.cls not in IN_PAIRING:
            raise Refused(Refuse.ROLE, "a pairing session pairs, and does nothing else")
        return
    if caller.role is None:
        raise Refused(Refuse.ROLE, "the pump does not hold this key any more")
    if not permits(spec, caller.role, bench=core.implant.bench):
        raise Refused(Refuse.ROLE, f"{caller.role.name} may not send {spec.op.name}")
