"""From a message to its handler: the role × message matrix, and nothing else.

Default deny (SEC-06). Which roles may send what is declared with each message;
which of them this firmware can do is the table below. A handler that a look does not need
is loaded when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pumpctl.emulator.acts import keys, look
from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.core import Core
from pumpctl.emulator.memory.flash import FlashError
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts  # noqa: F401 - with it all that can be staged
from pumpctl.wire.codes import Refuse
from pumpctl.wire.greeting import MAJOR
from pumpctl.wire.message import REGISTRY, Spec, permits, spec_of
from pumpctl.wire.messages_implant import GetImplant

Handler = Callable[[Core, Caller, Any], Any]


def _in(module: str, name: str) -> Handler:
    """A handler whose module is loaded at its first request."""

    def handler(core: Core, caller: Caller, message: Any) -> Any:
        found = import_module(f"pumpctl.emulator.acts.{module}")
        return getattr(found, name)(core, caller, message)

    return handler


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
    **{spec.cls: _in("stage", "stage") for spec in REGISTRY.values() if spec.stages},
    m.GetReadback: _in("stage", "readback"),
    m.Discard: _in("stage", "discard"),
    m.Activate: _in("treat", "activate"),
    m.Stop: _in("treat", "stop"),
    m.CancelBolus: _in("treat", "cancel_bolus"),
    m.Resolve: _in("treat", "resolve"),
    m.Pair: keys.pair,
    m.Grant: keys.grant,
    m.Unpair: keys.unpair,
    m.AlarmTest: _in("alarm_test", "sound"),
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
