"""Every enumeration that crosses the line, with numbers far apart.

All values are words of the extended BCH (16,7) code, which differ pairwise in
at least six bits, so that no single, double or triple bit error turns one
meaning into another (TEL-02). A test measures the distances. An enumeration
may use any word once; 0x0000 and 0xFFFF, what erased or dead memory reads as,
are never used.
"""

from __future__ import annotations

from enum import IntEnum

from pumpctl.wire.prescribed import Drug as Drug
from pumpctl.wire.prescribed import Mode as Mode


class Op(IntEnum):
    """What a message is."""

    # session
    PING = 0x03A3
    PONG = 0x04E6
    CLOSE = 0x0745
    CLOSED = 0x09CC
    REFUSAL = 0x0A6F
    # look
    GET_IDENTITY = 0x0D2A
    IDENTITY = 0x0E89
    GET_STATUS = 0x103B
    STATUS = 0x1398
    GET_PROGRAM = 0x14DD
    PROGRAM = 0x177E
    GET_OPERATION = 0x19F7
    OPERATION = 0x1A54
    GET_LOG = 0x1D11
    LOG = 0x1EB2
    RELEASE_LOG = 0x2075
    LOG_RELEASED = 0x23D6
    # stage and read back
    STAGE_PROGRAM = 0x2493
    STAGE_BOLUS = 0x2730
    STAGE_BRIDGE = 0x29B9
    STAGE_REFILL = 0x2A1A
    STAGE_RESUME = 0x2D5F
    STAGE_CLOCK = 0x2EFC
    STAGE_PATIENT = 0x304E
    STAGE_LIMITS = 0x33ED
    STAGED = 0x34A8
    DISCARD = 0x370B
    DISCARDED = 0x3982
    GET_READBACK = 0x3A21
    PROGRAM_READBACK = 0x3D64
    BOLUS_READBACK = 0x3EC7
    BRIDGE_READBACK = 0x40E9
    REFILL_READBACK = 0x434A
    CLOCK_READBACK = 0x440F
    PATIENT_READBACK = 0x47AC
    LIMITS_READBACK = 0x4925
    # therapy
    ACTIVATE = 0x4A86
    STOP = 0x4DC3
    CANCEL_BOLUS = 0x4E60
    DONE = 0x50D2
    # resolve
    RESOLVE = 0x5371
    # keys
    PAIR = 0x5434
    PAIRED = 0x5797
    GRANT = 0x591E
    GRANTED = 0x5ABD
    UNPAIR = 0x5DF8
    UNPAIRED = 0x5E5B
    # the implant's record
    GET_IMPLANT = 0x609C
    IMPLANT = 0x633F
    STAGE_IMPLANT = 0x647A
    IMPLANT_READBACK = 0x67D9
    # the alarm signal
    TEST_ALARM = 0x6950
    ALARM_SOUNDS = 0x6AF3
    # what a line lost
    REPEAT = 0x6DB6


class Refuse(IntEnum):
    """Why the pump refuses. `NONE` is success, at least six bits from every error."""

    NONE = 0x03A3
    UNKNOWN_MESSAGE = 0x04E6
    MALFORMED = 0x0745
    UNSUPPORTED = 0x09CC
    ROLE = 0x0A6F
    NOTHING_STAGED = 0x0D2A
    STAGE_EXPIRED = 0x0E89
    HASH_MISMATCH = 0x103B
    STATE_VERSION = 0x1398
    OPERATION_CONFLICT = 0x14DD
    OPERATION_VOID = 0x177E
    NONCE = 0x19F7
    IMPLAUSIBLE = 0x1A54
    NOT_CANONICAL = 0x1D11
    DRUG = 0x1EB2
    CONCENTRATION = 0x2075
    LIMIT_DAILY_DOSE = 0x23D6
    LIMIT_RATE = 0x2493
    LIMIT_RATE_LOW = 0x2730
    LIMIT_WINDOW = 0x29B9
    PATIENT_TAG = 0x2A1A
    STOPPED_TOO_LONG = 0x2D5F
    NOT_STOPPED = 0x2EFC
    NO_BOLUS = 0x304E
    BOLUS_RUNNING = 0x33ED
    LOCKOUT = 0x34A8
    CRITICAL_ALARM = 0x370B
    BRIDGE_RUNNING = 0x3982
    PAIRING_CLOSED = 0x3A21
    KEYS_FULL = 0x3D64
    LAST_ADMIN = 0x3EC7
    FLASH = 0x40E9
    BENCH_ONLY = 0x434A
    RANGE = 0x440F
    NOT_FOUND = 0x47AC
    CLOCK = 0x4925
    NOT_READ_BACK = 0x4A86
    SIGNATURE = 0x4DC3
    STOPPED = 0x4E60
    SELF_TEST = 0x50D2
    ALARM_RAISED = 0x5371


class Role(IntEnum):
    """What a key may do. The table of roles × messages is made of the messages."""

    OBSERVER = 0x03A3
    CLINICIAN = 0x04E6
    ENGINEER = 0x0745
    ADMIN = 0x09CC


class Delivery(IntEnum):
    """What the pump is doing now."""

    DELIVERING = 0x03A3
    MINIMUM = 0x04E6
    BOLUS = 0x0745
    BRIDGE = 0x09CC
    STOPPED = 0x0A6F
    STALLED = 0x0D2A
    EMPTY = 0x0E89
    FALLBACK = 0x103B


class Kind(IntEnum):
    """What an operation is about."""

    PROGRAM = 0x03A3
    BOLUS = 0x04E6
    BRIDGE = 0x0745
    REFILL = 0x09CC
    RESUME = 0x0A6F
    CLOCK = 0x0D2A
    PATIENT = 0x0E89
    LIMITS = 0x103B
    STOP = 0x1398
    CANCEL = 0x14DD
    IMPLANT = 0x177E


class Result(IntEnum):
    """What the pump's ledger says of an operation id."""

    APPLIED = 0x03A3
    VOID = 0x04E6
    ABSENT = 0x0745


class BolusKind(IntEnum):
    """Who asked for a bolus, and for what."""

    SCHEDULED = 0x03A3
    SINGLE = 0x04E6
    PRIME = 0x0745
    PATIENT = 0x09CC


class AlarmCode(IntEnum):
    """What an alarm is about."""

    LOW_RESERVOIR = 0x03A3
    EMPTY_RESERVOIR = 0x04E6
    ELECTIVE_REPLACEMENT = 0x0745
    END_OF_SERVICE = 0x09CC
    MOTOR_STALL = 0x0A6F
    STOPPED_TOO_LONG = 0x0D2A
    MEMORY_ONE_COPY = 0x0E89
    MEMORY_BOTH_COPIES = 0x103B
    BATTERY_RESET = 0x1398
    CLOCK_LOST = 0x14DD
    LINK_FLOOD = 0x177E
    VOLUME_DISAGREES = 0x19F7


class Priority(IntEnum):
    """How urgent an alarm is."""

    CRITICAL = 0x03A3
    NONCRITICAL = 0x04E6


class Battery(IntEnum):
    """State of the pump's battery."""

    GOOD = 0x03A3
    ELECTIVE_REPLACEMENT = 0x04E6
    END_OF_SERVICE = 0x0745


class Encoding(IntEnum):
    """How a batch of log entries is packed."""

    RAW = 0x03A3
    DIFFERENCE = 0x04E6


class LogKind(IntEnum):
    """What a log entry records; docs/protocol.md says what its fields hold."""

    HOUR = 0x03A3
    BOOT = 0x04E6
    ACTIVATED = 0x0745
    CHAIN_HEAD = 0x09CC
    STOPPED = 0x0A6F
    RESUMED = 0x0D2A
    BOLUS_STARTED = 0x0E89
    BOLUS_ENDED = 0x103B
    BOLUS_MISSED = 0x1398
    REFILLED = 0x14DD
    BRIDGE_STARTED = 0x177E
    BRIDGE_ENDED = 0x19F7
    CLOCK_SET = 0x1A54
    ALARM_RAISED = 0x1D11
    ALARM_CLEARED = 0x1EB2
    PAIRING_OPENED = 0x2075
    PAIRED = 0x23D6
    UNPAIRED = 0x2493
    GRANTED = 0x2730
    VOIDED = 0x29B9
    STAGE_DROPPED = 0x2A1A
    FALLBACK = 0x2D5F
    PATIENT_DOSE = 0x2EFC
    PATIENT_REFUSED = 0x304E
    LIMITS_SET = 0x33ED
    LOG_LOST = 0x34A8
    PATIENT_ASSIGNED = 0x370B
    IMPLANT_SET = 0x3982
    ALARM_TESTED = 0x3A21


class Holds(IntEnum):
    """What a part of the line is recorded to hold."""

    UNKNOWN = 0x03A3
    FREE = 0x04E6
    DRUG = 0x0745


class Purpose(IntEnum):
    """Why a station greets a pump."""

    LOOK = 0x03A3
    PAIR = 0x04E6
    SESSION = 0x0745


class FrameKind(IntEnum):
    """What a frame carries: one byte, words of the extended Hamming (8,4) code."""

    GREETING = 0xB1
    HANDSHAKE = 0xD2
    RECORD = 0x63


class Feature(IntEnum):
    """Feature bits of a pump's greeting: what it can stage and do, and bench mode."""

    BENCH = 1 << 0
    BOLUS = 1 << 1
    BRIDGE = 1 << 2
    REFILL = 1 << 3
    CLOCK = 1 << 4
    LIMITS = 1 << 5
    PATIENT_DOSE = 1 << 6
    PATIENT = 1 << 7
    IMPLANT = 1 << 8
    ALARM_TEST = 1 << 9
