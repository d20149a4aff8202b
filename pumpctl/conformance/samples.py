"""Programs to stage, made of what the device says of itself. They know no device.

All of them stay inside the absolutes of section 13 and use the drug, the
concentration and the low-reservoir volume that the pump has anyway.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Drug, Mode
from pumpctl.wire.messages import Identity, Status
from pumpctl.wire.program import FORMAT, PatientDose, Program, ScheduledBolus, Step

MOST_DAILY = 3_000_000
"""ng/day; section 13"""
SUPPLIED = (500, 1000, 2000)
"""pg/nL; section 13"""
NO_MINIMUM = "the least flow is no whole number of ng/day at this concentration"
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
Steps = tuple[Step, ...]


class Samples(NamedTuple):
    """What every sample program needs to fit this device."""

    drug: Drug
    concentration: int
    least_flow: int
    most_flow: int
    capacity: int
    low_alarm: int

    @classmethod
    def of(cls, identity: Identity, status: Status) -> Samples:
        """From what a pump says of itself."""
        return cls(
            status.drug,
            status.concentration,
            identity.least_flow,
            identity.most_flow,
            identity.capacity,
            status.low_alarm,
        )

    @property
    def least(self) -> int:
        """The smallest whole rate that is not below the minimum flow, ng/day."""
        return -(-self.least_flow * self.concentration // 1000)

    def rate(self, place: int) -> int:
        """One of 33 rates, rising from the smallest on, all allowed; ng/day."""
        return self.least + place * min(self.least, (MOST_DAILY - self.least) // 64)

    def program(
        self,
        *days: Steps,
        mode: Mode = Mode.FLEX,
        boluses: tuple[ScheduledBolus, ...] = (),
        patient: PatientDose | None = None,
    ) -> Program:
        """A program of these days, or of the one that stands for all seven."""
        return Program(
            FORMAT,
            mode,
            self.drug,
            self.concentration,
            self.rate(1),
            days * 7 if len(days) == 1 else days,
            boluses,
            patient,
            self.low_alarm,
        )

    def flat(self, place: int = 2) -> Program:
        """One rate, day and night; with 2, what runs between the tests."""
        return self.program((Step(0, self.rate(place)),), mode=Mode.CONTINUOUS)

    def flex(self) -> Program:
        """A working week and a weekend."""
        work = (Step(0, self.rate(2)), Step(377, self.rate(5)), Step(1111, self.rate(3)))
        rest = (Step(0, self.rate(2)), Step(611, self.rate(4)))
        return self.program(*(work,) * 5, rest, rest)

    def long(self) -> Program:
        """As many steps as a program may have: its staging takes several frames."""
        return self.program(
            *(
                tuple(Step(place * 97 + day * (place > 0), self.rate(place + 1 + day % 2))
                      for place in range(13))
                for day in range(7)
            )
        )  # fmt: skip

    def crowded(self) -> Program:
        """Boluses that run over midnight and over the week's end, and patient doses."""
        dose = self.rate(1) // 24
        boluses = (
            ScheduledBolus(0, 7, dose + 1, 11 * MINUTE_MS),
            ScheduledBolus(2, 1435, dose, 23 * MINUTE_MS),
            ScheduledBolus(3, 421, dose + 7, 7 * MINUTE_MS + 1),
            ScheduledBolus(3, 447, dose, 9 * MINUTE_MS),
            ScheduledBolus(6, 1439, dose + 3, 5 * MINUTE_MS + 13),
        )
        patient = PatientDose(dose // 2 + 1, 5 * MINUTE_MS, 4 * HOUR_MS, 3)
        return self.flex()._replace(boluses=boluses, patient_dose=patient)

    def minimum(self) -> Program | None:
        """Minimum rate, where this concentration gives it in whole ng/day (section 10)."""
        if self.least * 1000 != self.least_flow * self.concentration:
            return None
        empty: Steps = ()
        return self.program(empty, mode=Mode.MINIMUM_RATE)._replace(fallback=self.least)
