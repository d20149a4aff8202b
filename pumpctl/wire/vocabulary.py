"""The field types that messages are declared with, by what they mean; quanta are in `quanta`."""

from __future__ import annotations

from typing import Annotated

from pumpctl.wire import codes
from pumpctl.wire.fields import Blob, Code, Fixed, Flag, Maybe, SInt, Text, UInt
from pumpctl.wire.quanta import Drug as Drug
from pumpctl.wire.quanta import Minute as Minute
from pumpctl.wire.quanta import Mode as Mode
from pumpctl.wire.quanta import Ms as Ms
from pumpctl.wire.quanta import Ng as Ng
from pumpctl.wire.quanta import NgPerDay as NgPerDay
from pumpctl.wire.quanta import Nl as Nl
from pumpctl.wire.quanta import OffsetMin as OffsetMin
from pumpctl.wire.quanta import PgPerNl as PgPerNl
from pumpctl.wire.quanta import UtcMs as UtcMs
from pumpctl.wire.quanta import Weekday as Weekday

U8 = Annotated[int, UInt(1)]
U16 = Annotated[int, UInt(2)]
U32 = Annotated[int, UInt(4)]
U64 = Annotated[int, UInt(8)]

Hash32 = Annotated[bytes, Fixed(32)]
TagHash = Annotated[bytes, Fixed(8)]
"""The short hash of serial and patient tag; the tag itself never crosses the line."""
KeyId = Annotated[bytes, Fixed(8)]
PublicKey = Annotated[bytes, Fixed(32)]
OpId = Annotated[bytes, Fixed(16)]
Nonce = Annotated[bytes, Fixed(8)]
Random16 = Annotated[bytes, Fixed(16)]
MaybeMs = Annotated[int | None, Maybe(UInt(8))]
MaybeNl = Annotated[int | None, Maybe(UInt(8))]
MaybeTag = Annotated[bytes | None, Maybe(Fixed(8))]
Yes = Annotated[bool, Flag()]
Name = Annotated[str, Text(40)]
Detail = Annotated[str, Text(160)]
MOST_BATCH = 16_000
LogBatch = Annotated[bytes, Blob(MOST_BATCH)]
Pieces = Annotated[bytes, Fixed(32)]
"""A bit for each fragment of a record; the lowest bit of the last byte is piece 0."""

Shift = Annotated[int, SInt(8)]
"""A signed difference of two labels, ms."""
Holds = Annotated[codes.Holds, Code(codes.Holds)]
Kind = Annotated[codes.Kind, Code(codes.Kind)]
Role = Annotated[codes.Role, Code(codes.Role)]
Refuse = Annotated[codes.Refuse, Code(codes.Refuse)]
Result = Annotated[codes.Result, Code(codes.Result)]
Delivery = Annotated[codes.Delivery, Code(codes.Delivery)]
BolusKind = Annotated[codes.BolusKind, Code(codes.BolusKind)]
AlarmCode = Annotated[codes.AlarmCode, Code(codes.AlarmCode)]
Priority = Annotated[codes.Priority, Code(codes.Priority)]
Battery = Annotated[codes.Battery, Code(codes.Battery)]
Encoding = Annotated[codes.Encoding, Code(codes.Encoding)]
LogKind = Annotated[codes.LogKind, Code(codes.LogKind)]
Purpose = Annotated[codes.Purpose, Code(codes.Purpose)]
