"""Messages of keys: pairing, granting a role, forgetting. Imported through `messages`."""

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Op
from pumpctl.wire.message import ADMINISTERS, ANYONE, answer, request
from pumpctl.wire.vocabulary import KeyId, Name, PublicKey, Role


@request(Op.PAIR, roles=frozenset(), reply=Op.PAIRED)
class Pair(NamedTuple):
    """Only inside a pairing session: this key, of this operator, asks for this role."""

    station: Name
    operator: Name
    role: Role
    key: PublicKey


@answer(Op.PAIRED)
class Paired(NamedTuple):
    role: Role
    """What was granted, which may be less than what was asked."""
    key: PublicKey
    """The pump's."""


@request(Op.GRANT, roles=ADMINISTERS, reply=Op.GRANTED)
class Grant(NamedTuple):
    """Give another key a role."""

    key: KeyId
    role: Role


@answer(Op.GRANTED)
class Granted(NamedTuple):
    key: KeyId
    role: Role


@request(Op.UNPAIR, roles=ANYONE, reply=Op.UNPAIRED)
class Unpair(NamedTuple):
    """Forget a key: one's own, or as an admin any but the last admin's."""

    key: KeyId


@answer(Op.UNPAIRED)
class Unpaired(NamedTuple):
    key: KeyId
