"""The field types that messages are declared with, by what they mean.

Quanta are those of docs/protocol.md: ng, ng/day, pg/nL (= mcg/mL), nL, ms.
"""

from __future__ import annotations

from typing import Annotated

from pumpctl.wire import codes
from pumpctl.wire.fields import Blob, Code, Fixed, Flag, Maybe, SInt, Text, UInt

U8 = Annotated[int, UInt(1)]
U16 = Annotated[int, UInt(2)]
U32 = Annotated[int, UInt(4)]
U64 = Annotated[int, UInt(8)]

Ng = Annotated[int, UInt(8)]
"""A mass in nanograms."""
NgPerDay = Annotated[int, UInt(8)]
"""A dose rate in nanograms a day."""
PgPerNl = Annotated[int, UInt(4)]
"""A concentration in picograms per nanolitre, the same number as mcg/mL."""
Nl = Annotated[int, UInt(8)]
"""A volume in nanolitres."""
Ms = Annotated[int, UInt(8)]
"""A duration, or a reading of the pump's monotonic counter, in milliseconds."""
UtcMs = Annotated[int, UInt(8)]
"""A time label: milliseconds since 1970-01-01T00:00Z."""
OffsetMin = Annotated[int, SInt(2)]
"""The fixed offset of a local label from UTC, in minutes."""
Minute = Annotated[int, UInt(2, 1439)]
"""A minute of the day, 0 to 1439."""
Weekday = Annotated[int, UInt(1, 6)]
"""0 is Monday."""

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
LogBatch = Annotated[bytes, Blob(8000)]

Drug = Annotated[codes.Drug, Code(codes.Drug)]
Mode = Annotated[codes.Mode, Code(codes.Mode)]
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
