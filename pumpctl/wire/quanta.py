"""The quanta of docs/protocol.md as field types: ng, ng/day, pg/nL (= mcg/mL), nL, ms.

Apart from the rest of the vocabulary, so that a check of a profile, which needs a
program's canonical bytes, loads no more than those.
"""

from __future__ import annotations

from typing import Annotated

from pumpctl.wire import prescribed
from pumpctl.wire.fields import Code, SInt, UInt

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

Drug = Annotated[prescribed.Drug, Code(prescribed.Drug)]
Mode = Annotated[prescribed.Mode, Code(prescribed.Mode)]
