"""Single and priming boluses: given on top, counted, cancelled, refused (sections 8, 9, 13)."""

from __future__ import annotations

from fractions import Fraction

from pumpctl.conformance.bench import NO_CHAIN, Bench
from pumpctl.conformance.duties import case, expect, needing, same
from pumpctl.conformance.faults import Broken, NotApplicable
from pumpctl.conformance.lines import free_catheter
from pumpctl.conformance.reckoning import half_up, largest_24h
from pumpctl.conformance.samples import HOUR_MS, MINUTE_MS, MOST_DAILY
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Delivery, Feature, Kind, LogKind, Refuse
from pumpctl.wire.messages_acts import BolusReadback, StageBolus
from pumpctl.wire.program import PatientDose, program_hash

needs = needing(Feature.BOLUS)
_THOUSANDTH = 86_400
"""ms; a dose over so long flows at a thousand times its own ng a day."""


def _order(bench: Bench, kind: BolusKind = BolusKind.SINGLE) -> StageBolus:
    return StageBolus(bench.tag, kind, bench.samples.rate(1) // 96 + 1, 20 * MINUTE_MS)


def _running(bench: Bench) -> m.RunningBolus:
    running = bench.status().bolus
    if running is None:
        raise Broken("STATUS shows no bolus")
    return running


def _refused(bench: Bench, order: StageBolus, *codes: Refuse) -> None:
    with bench.nothing_written():
        bench.refused(order, *codes)


@needs("P2-bolus", "A bolus is staged, read back, activated; the program stays.")
def given(bench: Bench) -> None:
    order, before = _order(bench), bench.status()
    bench.get(order, m.Staged)
    same("the bolus before its activation", bench.status().bolus, None)
    done = bench.activate_staged(order)
    same("kind", done.kind, Kind.BOLUS)
    same("state_version", done.state_version, before.state_version + 1)
    after = bench.status()
    same("delivery", after.delivery, Delivery.BOLUS)
    same("program_hash", after.program_hash, before.program_hash)
    same("rate", after.rate, before.rate)
    bolus = _running(bench)
    same("kind and dose", (bolus.kind, bolus.dose), (BolusKind.SINGLE, order.dose))
    same("ends less started (ms)", bolus.ends - bolus.started, order.over)
    expect(bolus.given <= bolus.dose, "more was given than the dose")


@needs("P2-prime", "A priming bolus is shown as one.")
def prime(bench: Bench) -> None:
    free_catheter(bench)
    bench.act(_order(bench, BolusKind.PRIME))
    same("kind", _running(bench).kind, BolusKind.PRIME)


@needs("P4-bolus", "The read-back of a bolus: the order, its volume, the largest 24 h.")
def readback(bench: Bench) -> None:
    order, front = _order(bench), bench.status().front
    staged = bench.get(order, m.Staged)
    told = bench.get(m.GetReadback(), BolusReadback)
    same("content", told.content, staged.content)
    same("the order", (told.bolus, told.dose, told.over), (order.kind, order.dose, order.over))
    volume = half_up(Fraction(order.dose * 1000, bench.samples.concentration))
    same("volume", told.volume, volume)
    same("largest_24h", told.largest_24h, largest_24h(bench.samples.flat()) + order.dose)
    same("stays_in_line", told.stays_in_line, max(0, order.dose - told.past_tip))
    if front is None:  # the whole line holds what the reservoir holds
        same("past_tip", told.past_tip, order.dose)


@needs("P9-bolus", "A bolus with the same id is given once.")
def once(bench: Bench) -> None:
    staged = bench.get(_order(bench), m.Staged)
    bench.get(m.GetReadback(), BolusReadback)
    asked = bench.activation(staged)
    first = bench.get(asked, m.Done)
    started = _running(bench).started
    with bench.nothing_written():
        again = bench.get(asked, m.Done)
        same("the repeated answer", again._replace(delivered=0), first._replace(repeated=True))
    same("when it started", _running(bench).started, started)
    bench.get(m.CancelBolus(bench.new_id(), NO_CHAIN), m.Done)
    bench.get(asked, m.Done)
    same("the bolus after it was cancelled", bench.status().bolus, None)


@needs("P8-bolus-running", "No bolus is taken while one runs.")
def running(bench: Bench) -> None:
    bench.act(_order(bench))
    for kind in (BolusKind.SINGLE, BolusKind.PRIME):
        _refused(bench, _order(bench, kind), Refuse.BOLUS_RUNNING)


@needs("P8-bolus-stopped", "A stopped pump takes no bolus.")
def stopped(bench: Bench) -> None:
    bench.stop()
    _refused(bench, _order(bench), Refuse.STOPPED)


@needs("P8-order-zero", "A bolus of nothing, over no time or over 24 h: refused.")
def implausible(bench: Bench) -> None:
    order = _order(bench)
    for wrong in (
        order._replace(dose=0),
        order._replace(over=0),
        order._replace(over=24 * HOUR_MS + 1),
    ):
        _refused(bench, wrong, Refuse.IMPLAUSIBLE)


@needs("P8-bolus-kind", "Nobody orders a scheduled or a patient's bolus.")
def strange_kinds(bench: Bench) -> None:
    for kind in (BolusKind.SCHEDULED, BolusKind.PATIENT):
        _refused(bench, _order(bench, kind), Refuse.IMPLAUSIBLE)


@needs("P8-bolus-rate", "A bolus and the basal stay below the maximum flow, exactly.")
def flow(bench: Bench) -> None:
    samples = bench.samples
    most = samples.most_flow * samples.concentration // 1000  # ng/day
    order = _order(bench)._replace(dose=(most - samples.rate(2)) // 1000, over=_THOUSANDTH)
    if not bench.library:
        bench.get(order, m.Staged)
        bench.get(m.Discard(), m.Discarded)
    code = (Refuse.LIMIT_RATE, Refuse.RANGE)  # RANGE where a table's largest dose is less
    _refused(bench, order._replace(dose=order.dose + 1), *code)
    _refused(bench, order._replace(over=order.over * 999 // 1000), *code)


@needs("P8-bolus-window", "A bolus never takes 24 h above the maximum.")
def window(bench: Bench) -> None:
    left = MOST_DAILY - bench.samples.rate(2)
    order = _order(bench)._replace(dose=left + 1, over=20 * HOUR_MS)
    _refused(bench, order, Refuse.LIMIT_WINDOW, Refuse.RANGE)


@needs("P8-bolus-tag", "A bolus for another patient is refused.")
def tag(bench: Bench) -> None:
    other = bytes(byte ^ 0xFF for byte in bench.tag)
    _refused(bench, _order(bench)._replace(tag=other), Refuse.PATIENT_TAG)


@needs("P19-cancel-bolus", "CANCEL_BOLUS ends the bolus and says what it gave.")
def cancel(bench: Bench) -> None:
    order = bench.act(_order(bench))
    before, first = _running(bench), bench.status().log_next
    done = bench.get(m.CancelBolus(bench.new_id(), NO_CHAIN), m.Done)
    same("state_version", done.state_version, order.state_version + 1)
    expect(before.given <= done.delivered <= before.dose, f"delivered {done.delivered} ng")
    after = bench.status()
    same("bolus", after.bolus, None)
    same("delivery", after.delivery, Delivery.DELIVERING)
    same("program_hash", after.program_hash, program_hash(bench.samples.flat()))
    ended = [e for e in bench.entries(first) if e.kind is LogKind.BOLUS_ENDED]
    same("BOLUS_ENDED: dose, given", [(e.a, e.b) for e in ended], [(before.dose, done.delivered)])
    same("what the ledger says", bench.operation(order.operation).delivered, done.delivered)


@needs("P19-stop-bolus", "STOP ends a running bolus; resuming does not give the rest.")
def stop(bench: Bench) -> None:
    bench.act(_order(bench))
    bench.stop()
    same("bolus", bench.status().bolus, None)
    bench.put(bench.samples.flat())
    same("the bolus after a new program", bench.status().bolus, None)


@needs("P2-bolus-program", "A running bolus goes on when a program is activated.")
def goes_on(bench: Bench) -> None:
    bench.act(_order(bench))
    before = _running(bench)
    bench.put(bench.samples.flex())
    after = _running(bench)
    same("the bolus", after._replace(given=0), before._replace(given=0))
    expect(after.given >= before.given, "what it gave was taken back")


@needs("P16-bolus", "BOLUS_STARTED holds dose, duration, kind and id.")
def logged(bench: Bench) -> None:
    first = bench.status().log_next
    order = _order(bench)
    done = bench.act(order)
    entries = bench.entries(first)
    started = [e for e in entries if e.kind is LogKind.BOLUS_STARTED]
    due = int(BolusKind.SINGLE).to_bytes(2, "big") + done.operation + bytes(2)
    same("the entries", [(e.a, e.b, e.data) for e in started], [(order.dose, order.over, due)])


@needs("P16-bolus-order", "The entries of one activation stand together.")
def together(bench: Bench) -> None:
    first = bench.status().log_next
    bench.act(_order(bench))
    kinds = [e.kind for e in bench.entries(first) if e.kind is not LogKind.HOUR]
    same("the entries", kinds, [LogKind.ACTIVATED, LogKind.BOLUS_STARTED])


@case(
    "L11-patient-dose",
    "STATUS shows the patient's doses where the program has any.",
    feature=Feature.PATIENT_DOSE,
)
def patient_dose(bench: Bench) -> None:
    same("patient_dose of a program without", bench.status().patient_dose, None)
    own = PatientDose(bench.samples.rate(1) // 96, 5 * MINUTE_MS, 4 * HOUR_MS, 3)
    bench.put(bench.samples.flex()._replace(patient_dose=own))
    told = bench.status().patient_dose
    if told is None:
        raise Broken("STATUS shows no patient dose")
    expect(told.left <= own.most, f"{told.left} are left of {own.most}")


@needs("P8-lockout", "Any bolus starts the patient's lockout, counted from its end.")
def lockout(bench: Bench) -> None:
    if not bench.offers(Feature.PATIENT_DOSE):
        raise NotApplicable("the greeting does not offer PATIENT_DOSE")
    own = PatientDose(bench.samples.rate(1) // 96, 5 * MINUTE_MS, 4 * HOUR_MS, 3)
    bench.put(bench.samples.flat()._replace(patient_dose=own))
    order = _order(bench)
    bench.act(order)
    told = bench.status().patient_dose
    if told is None:
        raise Broken("STATUS shows no patient dose")
    expect(told.next_in > own.lockout, f"next_in is {told.next_in} ms while a bolus runs")
    bench.get(m.CancelBolus(bench.new_id(), NO_CHAIN), m.Done)
    ended = bench.status()
    bench.put(bench.samples.flex()._replace(patient_dose=own))  # a push resets nothing
    told, now = bench.status().patient_dose, bench.status()
    if told is None:
        raise Broken("STATUS shows no patient dose")
    passed = now.counter - ended.counter
    low = own.lockout - passed - MINUTE_MS
    expect(low <= told.next_in <= own.lockout, f"next_in is {told.next_in} ms after a bolus")
