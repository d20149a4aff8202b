"""The test of a pump's alarm signal. Imported through `messages`; knows no other message."""

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Op
from pumpctl.wire.message import TREATS, answer, request
from pumpctl.wire.vocabulary import Ms, Priority


@request(Op.TEST_ALARM, roles=TREATS, reply=Op.ALARM_SOUNDS)
class AlarmTest(NamedTuple):
    """Sound the signal of this priority, so that somebody can say whether it is heard."""

    priority: Priority


@answer(Op.ALARM_SOUNDS)
class AlarmSounds(NamedTuple):
    """The signal sounds from now on, as a test; no alarm is raised."""

    priority: Priority
    lasts: Ms
    """For how long, at most 10 000; bounded by the pump alone."""
