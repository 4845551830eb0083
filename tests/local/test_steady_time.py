"""The time of day is set, frozen or moved: the service goes on evenly."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest

from genflow import Activity, Client, Workflow, activity, run, workflow
from genflow.local import LocalSWF, SystemClock
from genflow.local.clock import SteadyClock, to_datetime, to_milliseconds
from genflow.steady_time import monotonic_ns
from genflow.swf.worker.worker import Worker
from tests.local.domain import Domain, decision

HOUR = 3_600_000
DAY = 24 * HOUR


def await_next_millisecond():
    """Of the clock that a service reads: others begin theirs at other moments where the machine has slept."""
    began = monotonic_ns() // 1_000_000
    while monotonic_ns() // 1_000_000 == began:
        pass


class Skewed(SystemClock):
    """A machine whose clock is set."""

    offset = 0

    def milliseconds(self):
        return super().milliseconds() + self.offset


@pytest.mark.thorough
@pytest.mark.parametrize('steps', [(-HOUR,), (DAY,), (DAY, -DAY)], ids=['back', 'forward', 'forward and back'])
def test_timers_fire_on_time_and_events_are_in_order(steps, caplog):
    clock = Skewed()
    with LocalSWF(clock=clock, long_poll=20) as swf:
        domain = Domain(swf).prepare()
        execution = domain.start()
        domain.decide(decision('StartTimer', timerId='t', startToFireTimeout='1'))
        for step in steps:
            clock.offset += step
            await_next_millisecond()  # a service reads the time of day once in each
            swf.next_deadline()
            swf.list_domains(registrationStatus='REGISTERED')
        assert 'taskToken' in domain.poll_decision()
        events = domain.history(execution)
    dates = [event['eventTimestamp'] for event in events]
    assert dates == sorted(dates)
    moments = {event['eventType']: event['eventTimestamp'] for event in events}
    assert (moments['TimerFired'] - moments['TimerStarted']).total_seconds() == 1
    (record,) = caplog.records
    assert f'{abs(steps[0]) / 1000:.1f} s {"ahead of" if steps[0] > 0 else "behind"}' in record.getMessage()


def test_a_file_that_was_written_later_than_now_continues_from_there(path):
    clock = Skewed()
    clock.offset = HOUR
    with LocalSWF(path, clock) as swf:
        execution = Domain(swf).prepare().start()
        Domain(swf).signal()
    with LocalSWF(path, Skewed()) as swf:
        Domain(swf).signal()
        dates = [event['eventTimestamp'] for event in Domain(swf).history(execution)]
    assert dates == sorted(dates)
    assert to_milliseconds(dates[-1]) > Skewed().milliseconds() + HOUR // 2


def test_a_file_of_a_time_before_1970_goes_on_there(path):
    day = Skewed()
    day.offset = -to_milliseconds(datetime(2000, 1, 1, tzinfo=timezone.utc))  # it is the nineteen-nineties or earlier
    day.offset -= 100 * 366 * DAY
    for _ in range(2):
        with LocalSWF(path, day) as swf:
            assert swf.clock.now() < to_datetime(0)
            domain = Domain(swf) if swf.list_domains(registrationStatus='REGISTERED')['domainInfos'] else None
            domain = domain or Domain(swf).prepare()
            execution = domain.start(f'w{day.milliseconds()}')
            assert domain.history(execution)[0]['eventTimestamp'] < to_datetime(0)


def test_a_steady_clock_begins_with_the_time_of_day():
    before = SystemClock().milliseconds()
    assert before <= SteadyClock(SystemClock()).milliseconds() <= SystemClock().milliseconds() + 1


@workflow(name='Naps', version=1, task_list='naps')
class Naps(Workflow):
    def run(self):
        yield self.sleep(0.1)
        return 'rested'


@pytest.fixture(params=['freezegun', 'time_machine'])
def moved(request):
    """Moves the time of day as users' tests do: a context manager for a moment."""
    library = pytest.importorskip(request.param)
    return library.freeze_time if request.param == 'freezegun' else lambda to: library.travel(to, tick=False)


@pytest.mark.thorough
def test_a_run_under_a_frozen_clock(moved):
    with moved('2020-02-02'):
        assert run(Naps) == 'rested'
    assert run(Naps) == 'rested'


def test_a_poll_that_finds_nothing_ends_under_a_frozen_clock(moved):
    with moved('2020-02-02'), LocalSWF(long_poll=0.05) as swf:
        assert Domain(swf).prepare().poll_decision()['startedEventId'] == 0


@pytest.mark.thorough
def test_a_service_outlives_a_journey(moved):
    """A session's service, used by a test that travels and by the next one that does not."""
    with LocalSWF(long_poll=20) as swf:
        domain = Domain(swf).prepare()
        execution = domain.start()
        with moved('2035-01-01'):
            domain.signal()
        domain.decide(decision('StartTimer', timerId='t', startToFireTimeout='1'))
        assert 'taskToken' in domain.poll_decision()
        dates = [event['eventTimestamp'] for event in domain.history(execution)]
    assert dates == sorted(dates)
    assert (dates[-1] - dates[0]).total_seconds() < 60


@pytest.fixture
def swf():
    with LocalSWF() as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        yield service


@pytest.mark.thorough
def test_a_worker_continues_while_a_test_travels(moved, swf):
    naps = Client('d', swf).starter(Naps)
    with Worker('d', 'naps', swf, registry=[Naps]):
        for date in ('2012-01-14', '2040-01-14'):
            with moved(date):
                assert naps().result(60) == 'rested'
        assert naps().result(60) == 'rested'


@activity(name='Nod', version=1, task_list='naps')
class Nod(Activity):
    def run(self):
        return 'nodded'


@workflow('Nods', 1, 'naps')
class Nods(Workflow):
    nod = Nod.proxy()

    def run(self):
        return (yield self.nod())


def test_a_worker_reads_no_clock_that_a_library_replaces(monkeypatch, swf):
    """For a moment at the end of a journey, freezegun's clocks raise an error in other threads."""

    def gone():
        raise IndexError('list index out of range')

    with Worker('d', 'naps', swf, registry=[Nods, Nod]):
        for name in ('perf_counter', 'perf_counter_ns', 'monotonic', 'monotonic_ns'):
            monkeypatch.setattr(time, name, gone)
        assert Client('d', swf).starter(Nods)().result(60) == 'nodded'


def test_a_worker_that_begins_under_a_frozen_clock_outlives_it(moved, swf):
    with moved('2012-01-14'):
        working = Worker('d', 'naps', swf, registry=[Naps])
        working.start()
    assert Client('d', swf).starter(Naps)().result(60) == 'rested'
    working.stop()
    working.wait()


def test_a_client_that_waits_under_a_frozen_clock_keeps_its_time_out(moved, swf):
    with moved('2012-01-14'), Worker('d', 'another-list', swf, registry=[Naps]), pytest.raises(TimeoutError):
        Client('d', swf).starter(Naps)().result(0.2)


def test_a_workflow_under_test_naps_while_its_test_travels(moved, genflow_tester):
    with moved('2040-01-14'):
        assert genflow_tester(Naps).run() == 'rested'
