"""The code of a workflow is replayed while later pages of its history arrive, and decides as it does with all of it."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from random import Random

import pytest
from botocore.parsers import ResponseParserError
from hypothesis import HealthCheck, given, settings

from genflow import Middleware, Signal, Workflow, workflow
from genflow.core.errors import HistoryError
from genflow.core.model.registry import Registry, WorkflowSpec
from genflow.local import Limits, LocalSWF, SystemClock
from genflow.swf.client.handles import Client
from genflow.swf.tasks.collection import LONG
from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.tasks.poller import Poller
from genflow.swf.tasks.task_events import TaskEvents
from genflow.swf.worker import decider as decider_module
from genflow.swf.worker import failure_log, points
from genflow.swf.worker.decider import Decider
from genflow.swf.worker.failure_log import FailureLog
from genflow.swf.worker.points import DecisionPoints
from genflow.swf.worker.slow_decisions import SlowDecisionWatchdog
from genflow.swf.worker.worker import Worker, handle_safely
from tests.interrupting import Lines
from tests.profile import examples

from .runs import Environment
from .scripted import Waiting, refusal, service, silent
from .test_laws import LONGER, SCHEDULES

DENIED = refusal('AccessDeniedException')
BROKEN = ResponseParserError('not JSON')


class Pages:
    """A client that gives one decision task, page by page, and takes its answer.

    A page that is an exception is raised. ``at_page`` is called with the number of each page that is requested.
    """

    def __init__(self, kind=('Steps', '1'), run_id='run', at_page=lambda number: None):
        self.kind = {'name': kind[0], 'version': kind[1]}
        self.run_id = run_id
        self.at_page = at_page
        self.answers = []

    def give(self, *pages, previous=0, started=None):
        self.pages = pages
        self.whole = []
        self.previous = previous
        self.started = started or max(page[-1]['eventId'] for page in pages if page and not is_error(page))

    def poll_for_decision_task(self, nextPageToken='0', **_):  # noqa: N803 - SWF's name
        return {
            'taskToken': 'token',
            'startedEventId': self.started,
            'previousStartedEventId': self.previous,
            'workflowExecution': {'workflowId': 'main', 'runId': self.run_id},
            'workflowType': self.kind,
            **self._page(self.pages, int(nextPageToken)),
        }

    def get_workflow_execution_history(self, nextPageToken='0', **_):  # noqa: N803 - SWF's name
        return self._page(self.whole, int(nextPageToken))

    def _page(self, pages, number):
        self.at_page(number)
        if is_error(pages[number]):
            raise pages[number]
        following = {'nextPageToken': str(number + 1)} if number + 1 < len(pages) else {}
        return {'events': list(pages[number]), **following}

    def respond_decision_task_completed(self, **answer):
        self.answers.append(answer)
        return {}


def is_error(page):
    return isinstance(page, BaseException)


def decider_of(client, spec, **options):
    registry = Registry()
    registry.add(spec)
    return Decider(service(client), 'd', registry, **options)


def poller_of(decider):
    return Poller(decider.service, 'd', 'tl')


def decided(decider, client):
    """Has the task of the client decided; returns the answer."""
    client.answers.clear()
    decider.handle(poller_of(decider).decision_task())
    (answer,) = client.answers
    return answer


def cut(events, chance):
    """The same events in pages, some of which may be empty."""
    places = sorted(chance.randrange(len(events) + 1) for _ in range(chance.randrange(1, 6)))
    return [events[a:b] for a, b in zip([0, *places], [*places, len(events)], strict=True)]


@settings(max_examples=examples(25, 400), suppress_health_check=list(HealthCheck), deadline=None)
@given(LONGER, SCHEDULES)
def test_pages_make_no_difference(program, schedule):
    """However a history is cut, whichever page fails first, whether its beginning is in the cache or not."""
    run = Environment(program, schedule).play()
    chance = Random(run.chance)
    client = Pages((run.spec.name, run.spec.version), run.seed)  # which a worker takes from the run's id
    cold, kept = decider_of(client, run.spec), decider_of(client, run.spec)
    previous = 0
    for asked in (one for one in run.asked if one.arrived):
        history = run.history[: asked.started_id]
        cold.cache.close_all()
        client.give(history)
        answer = decided(cold, client)

        pages = cut(history, chance)
        broken = chance.randrange(1, len(pages))
        client.give(*pages[:broken], DENIED, started=asked.started_id)
        task = poller_of(cold).decision_task()
        with pytest.raises(type(DENIED)):
            cold.handle(task)
        assert len(cold.cache) == 0
        client.give(*pages)
        assert decided(cold, client) == answer

        pages = cut(history[max(0, previous - 1) :], chance)
        client.give(*pages, previous=previous, started=asked.started_id)
        client.whole = cut(history, chance)
        assert decided(kept, client) == answer
        previous = asked.started_id
    for decider in (cold, kept):
        decider.cache.close_all()


# a history of which each page has a step


class Steps(Workflow):
    go = Signal()

    def run(self):
        taken = []
        try:
            while True:
                taken.append((yield self.go.get()))
                TAKEN.append(taken[-1])
                if taken[-1] == 'fail':
                    raise ValueError(taken)
        finally:
            CLOSED.append(taken)


@workflow(name='Stopped', version=1, task_list='tl', decision_duration=600)
class Stopped(Workflow):
    go = Signal()

    def run(self):
        STOPPED.append('begun')
        try:
            return (yield self.go.get())
        finally:
            STOPPED.append('closed')


STOPPED: list[str] = []

TAKEN: list[object] = []
CLOSED: list[object] = []

WHEN = datetime(2026, 1, 1, tzinfo=timezone.utc)
SPEC = WorkflowSpec(Steps, 'Steps', '1')


def history(steps, values=range(10**6)):
    """A history with a decision for each step, the last of which is to be made."""
    found = []

    def add(kind, **attributes):
        member = f'{kind[0].lower()}{kind[1:]}EventAttributes'
        found.append({'eventId': len(found) + 1, 'eventType': kind, 'eventTimestamp': WHEN, member: attributes})
        return len(found)

    add(
        'WorkflowExecutionStarted',
        workflowType={'name': 'Steps', 'version': '1'},
        taskList={'name': 'tl'},
        childPolicy='TERMINATE',
        taskStartToCloseTimeout='10',
    )
    for value, _ in zip(values, range(steps), strict=False):
        scheduled = add('DecisionTaskScheduled', taskList={'name': 'tl'})
        started = add('DecisionTaskStarted', scheduledEventId=scheduled)
        add('DecisionTaskCompleted', scheduledEventId=scheduled, startedEventId=started)
        add('WorkflowExecutionSignaled', signalName='go', input=f'"{value}"')
    scheduled = add('DecisionTaskScheduled', taskList={'name': 'tl'})
    add('DecisionTaskStarted', scheduledEventId=scheduled)
    return found


def paged(events, size=4):
    return [events[first : first + size] for first in range(0, len(events), size)]


@pytest.fixture(autouse=True)
def nothing_taken():
    TAKEN.clear()
    CLOSED.clear()
    STOPPED.clear()


def test_the_code_runs_while_later_pages_are_requested():
    taken = []
    client = Pages(at_page=lambda number: taken.append(len(TAKEN)))
    pages = paged(history(5))
    client.give(*pages)
    decider = decider_of(client, SPEC)
    decided(decider, client)
    assert taken == [0, 0, 0, 1, 2, 3, 4][: len(pages)]
    assert len(TAKEN) == 5
    decider.cache.close_all()


def test_a_whole_history_is_replayed_while_it_is_read():
    taken = []
    client = Pages(at_page=lambda number: taken.append(len(TAKEN)))
    events = history(5)
    client.give(events[-6:], previous=events[-6]['eventId'])
    client.whole = paged([*events, {'eventId': len(events) + 1, 'eventType': 'WorkflowExecutionSignaled'}])
    decider = decider_of(client, SPEC)
    decided(decider, client)
    assert taken == [0, 0, 0, 0, 1, 2, 3][: len(client.whole) + 1]
    decider.cache.close_all()


@pytest.mark.parametrize('error', [DENIED, BROKEN, refusal('UnknownResourceFault'), silent()], ids=str)
@pytest.mark.parametrize('number', range(1, 6))
def test_a_page_that_cannot_be_read_leaves_no_trace(error, number):
    client = Pages()
    pages = paged(history(5))
    client.give(*pages[:number], error, started=pages[-1][-1]['eventId'])
    waiting = Waiting(stops_after=1)
    decider = decider_of(client, SPEC)
    decider.service = service(client, waiting)
    task = poller_of(decider).decision_task()
    with pytest.raises(type(error)) as caught:
        decider.handle(task)
    assert caught.value is error
    assert len(CLOSED) == (number > 1), 'the generator is closed at once, on this thread'
    assert (len(decider.cache), decider.held, client.answers, gc.isenabled()) == (0, {}, [], True)
    client.give(*pages)
    TAKEN.clear()
    assert decided(decider, client)['decisions'] == []
    assert TAKEN == ['0', '1', '2', '3', '4']
    decider.cache.close_all()


@pytest.mark.parametrize('size', [1, 3])
def test_a_page_of_a_continuation_that_cannot_be_read_leaves_no_trace(size):
    """With one event a page, it is not yet known that the history goes on from the cached execution."""
    events = history(9)
    client = Pages()
    decider = decider_of(client, SPEC)
    client.give(events[:7])
    decided(decider, client)
    rest = paged(events[6:], size)
    for number in range(1, len(rest)):
        client.give(*rest[:number], DENIED, previous=7, started=len(events))
        task = poller_of(decider).decision_task()
        with pytest.raises(type(DENIED)):
            decider.handle(task)
        assert (len(decider.cache), len(CLOSED)) == (0, number)
        client.give(*paged(events[:7]))
        decided(decider, client)
    client.give(*rest, previous=7)
    client.whole = None  # and is not asked for
    TAKEN.clear()
    decided(decider, client)
    assert [str(value) for value in range(1, 9)] == TAKEN
    decider.cache.close_all()


def test_a_page_that_is_throttled_is_requested_again_in_the_middle_of_a_replay():
    failures = [refusal('ThrottlingException'), refusal('InternalFailure', 500)]

    def at_page(number):
        if number == 3 and failures:
            raise failures.pop()

    client = Pages(at_page=at_page)
    client.give(*paged(history(5)))
    decider = decider_of(client, SPEC)
    assert decided(decider, client)['decisions'] == []
    assert (len(TAKEN), failures) == (5, [])
    decider.cache.close_all()


def test_what_is_wrong_with_the_code_is_reported_before_the_rest_is_read():
    requested = []
    client = Pages(at_page=requested.append)
    client.give(*paged(history(9, ['0', 'fail', *range(9)])))
    decider = decider_of(client, SPEC)
    decider.handle(poller_of(decider).decision_task())
    assert 'run' in decider.held
    assert requested[-1] < len(client.pages) - 1
    assert len(CLOSED) == 1


def test_a_task_is_logged_as_gone_where_its_history_ends_early(caplog):
    client = Pages()
    pages = paged(history(5))
    client.give(*pages[:3], refusal('UnknownResourceFault'), started=pages[-1][-1]['eventId'])
    decider = decider_of(client, SPEC)
    assert handle_safely(decider.handle, poller_of(decider).decision_task(), FailureLog()) is None
    (record,) = caplog.records
    assert 'Steps 1 (workflow main, run run) is gone: ' in record.getMessage()


def test_a_page_that_fails_at_each_attempt_is_logged_once_with_its_traceback(caplog):
    client, failures = Pages(), FailureLog()
    pages = paged(history(5))
    decider = decider_of(client, SPEC)
    for error in (DENIED, DENIED, BROKEN, DENIED):
        client.give(*pages[:3], error, started=pages[-1][-1]['eventId'])
        assert handle_safely(decider.handle, poller_of(decider).decision_task(), failures) is None
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, True, False]
    texts = [record.getMessage() for record in caplog.records]
    assert len({text.partition(':')[0] for text in texts}) == 1
    assert ['failure 2 of' in texts[1], 'failure 3 of' in texts[3]] == [True, True]
    assert all('AccessDeniedException' in texts[number] for number in (1, 3))


def test_no_more_kinds_of_failures_are_counted_than_there_is_room_for(monkeypatch, caplog):
    monkeypatch.setattr(failure_log, 'KNOWN', 2)
    failures = FailureLog()
    for kind in (KeyError, TypeError, KeyError, ValueError, KeyError):
        failures.write(kind(), 'no')
    assert [bool(record.exc_info) for record in caplog.records] == [True, True, False, True, True]


@pytest.mark.parametrize('is_continued', [False, True], ids=['cold', 'kept'])
def test_wherever_ctrl_c_comes_no_generator_is_left_to_the_collector(is_continued):
    """After it, the cache is all that has any; the tracebacks, which may have others, are still there."""
    pages = history(3)
    for number in itertools.count(1):
        TAKEN.clear()
        CLOSED.clear()
        client = Pages()
        decider = decider_of(client, SPEC)
        if is_continued:
            client.give(pages)
            decided(decider, client)
            later = history(4)
            client.give(later[len(pages) - 1 :], previous=len(pages), started=len(later))
        else:
            client.give(pages)
        task = poller_of(decider).decision_task()
        error = None
        lines = Lines(number, decider_module.__file__, KeyboardInterrupt)
        try:
            with lines:
                decider.handle(task)
        except KeyboardInterrupt as interrupt:
            error = interrupt
        decider.cache.close_all()
        assert len(CLOSED) == bool(TAKEN), f'line {number}'
        if lines.left > 0:
            break
        assert error is not None
    assert number > 30


def test_the_collector_is_held_off_while_a_long_history_is_read_and_replayed():
    states = []
    client = Pages(at_page=lambda number: states.append(gc.isenabled()))
    events = history(LONG // 4)
    client.give(*paged(events, LONG // 3))
    decider = decider_of(client, SPEC)
    decided(decider, client)
    assert (states, gc.isenabled()) == ([True, False, False, False], True)
    states.clear()
    client.give(events[-6:], previous=events[-6]['eventId'])
    decider.cache.take('run').execution.close()
    client.whole = paged(events, LONG // 3)
    decided(decider, client)
    assert (states, gc.isenabled()) == ([True, True, False, False, False], True)
    decider.cache.close_all()


def test_the_collector_is_held_off_until_a_long_history_is_answered(monkeypatch):
    states = []
    client = Pages()
    respond = client.respond_decision_task_completed

    def answer(**request):
        states.append(gc.isenabled())
        return respond(**request)

    monkeypatch.setattr(client, 'respond_decision_task_completed', answer)
    client.give(*paged(history(LONG // 4), LONG // 3))
    decider = decider_of(client, SPEC)
    decided(decider, client)
    assert (states, gc.isenabled()) == ([False], True)
    decider.cache.close_all()


def test_the_collector_is_left_on_for_a_short_one():
    states = []
    client = Pages(at_page=lambda number: states.append(gc.isenabled()))
    client.give(*paged(history(5)))
    decider = decider_of(client, SPEC)
    decided(decider, client)
    assert set(states) == {True}
    decider.cache.close_all()


def test_waiting_for_a_page_is_no_slow_decision(caplog):
    waiting = Waiting()
    watch = SlowDecisionWatchdog(2.0, waiting.clock)

    def at_page(number):
        watch.look()
        waiting.now += 100  # the time-out of a decision is 10
        watch.look()

    client = Pages(at_page=at_page)
    client.give(*paged(history(5)))
    decider = decider_of(client, SPEC, watch=watch)
    decided(decider, client)
    assert (decider.held, caplog.records) == ({}, [])
    decider.cache.close_all()


def test_waiting_for_a_page_is_no_time_of_the_decision(monkeypatch):
    waiting = Waiting()
    monkeypatch.setattr(points, 'monotonic', waiting.clock)
    durations = []

    class Measures(Middleware):
        def decided(self, decision):
            durations.append(decision.seconds)

    def at_page(number):
        waiting.now += 100

    client = Pages(at_page=at_page)
    client.give(*paged(history(5)))
    decider = decider_of(client, SPEC, points=DecisionPoints((Measures(),)))
    decided(decider, client)
    assert durations == [0]
    decider.cache.close_all()


class Slow:
    """A service whose pages after the first wait until they may go on."""

    def __init__(self, swf):
        self.swf = swf
        self.asked, self.goes_on = threading.Event(), threading.Event()

    def poll_for_decision_task(self, **request):
        if 'nextPageToken' in request:
            self.asked.set()
            assert self.goes_on.wait(60)
        return self.swf.poll_for_decision_task(**request)

    def __getattr__(self, name):
        return getattr(self.swf, name)


def test_a_worker_that_is_stopped_while_pages_arrive_waits_for_none_and_keeps_nothing():
    options = {'synchronous': 'OFF', 'long_poll': 0.1, 'limits': Limits(history_page_size=2)}
    with LocalSWF(clock=SystemClock(), **options) as swf:
        swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        slow = Slow(swf)
        working = Worker('d', 'tl', slow, registry=[Stopped])
        working.start()
        started = Client('d', swf).starter(Stopped)()
        assert slow.asked.wait(60)
        working.stop()
        working.wait()
        slow.goes_on.set()
        for thread in threading.enumerate():
            if thread.name.startswith('genflow-decider'):
                thread.join(60)
        assert (working.in_memory, STOPPED) == (0, ['begun', 'closed'])
        started.signal('go', 1)
        with Worker('d', 'tl', swf, registry=[Stopped]):
            assert started.result(60) == 1


# whoever looks at the events


def test_who_reads_all_events_before_they_are_handled_changes_nothing():
    client = Pages()
    events = history(5)
    client.give(*paged(events))
    decider = decider_of(client, SPEC)
    task = poller_of(decider).decision_task()
    assert list(task.events) == events
    decider.handle(task)
    assert TAKEN == ['0', '1', '2', '3', '4']
    assert len(client.answers) == 1
    assert list(task.events) == events
    decider.cache.close_all()


def test_a_history_that_was_given_up_is_no_shorter_one():
    client = Pages()
    client.give(*paged(history(9, ['0', 'fail', *range(9)])))
    decider = decider_of(client, SPEC)
    task = poller_of(decider).decision_task()
    decider.handle(task)
    with pytest.raises(HistoryError, match='read it while its decision task is handled'):
        list(task.events)


@pytest.mark.parametrize('mismatch', ['hold', 'fail'])
def test_a_page_that_an_application_could_not_read_is_no_reason_to_hold_or_fail(mismatch):
    client = Pages()
    pages = paged(history(5))
    client.give(*pages[:3], DENIED, started=pages[-1][-1]['eventId'])
    decider = decider_of(client, SPEC, mismatch=mismatch)
    task = poller_of(decider).decision_task()
    with pytest.raises(type(DENIED)):
        len(task.events)  # as in `on_task`, which may go on without
    with pytest.raises(type(DENIED)):
        decider.handle(task)
    assert (decider.held, client.answers) == ({}, [])


class Looks(Middleware):
    def __init__(self):
        self.seen = []

    def decided(self, decision):
        self.seen.append(list(decision.events))


def test_outside_of_genflow_timestamps_are_datetimes():
    """A fast client leaves those of later pages as numbers."""
    looks = Looks()
    client = Pages()
    events = history(5)
    client.give(*paged([{**event, 'eventTimestamp': WHEN.timestamp()} for event in events]))
    decider = decider_of(client, SPEC, points=DecisionPoints((looks,)))
    task = poller_of(decider).decision_task()
    assert task.events[0]['eventTimestamp'] == WHEN
    decider.handle(task)
    assert looks.seen == [events]
    assert [event['eventTimestamp'] for event in task.events] == [WHEN] * len(events)
    decider.cache.close_all()


# the sequence


@pytest.fixture
def pool():
    with ThreadPoolExecutor() as pool:
        yield pool


def sequence(*pages):
    requested = []

    def later():
        for page in pages[1:]:
            requested.append(page)
            yield page

    return TaskEvents(pages[0], later()), requested


def numbered(*ids):
    return [{'eventId': number} for number in ids]


def test_events_are_a_sequence():
    whole = numbered(1, 2, 3, 4, 5)
    for make in (
        lambda: sequence(whole)[0],
        lambda: sequence([], numbered(1, 2), [], numbered(3, 4), numbered(5), [])[0],
    ):
        assert list(make()) == whole
        assert len(make()) == 5
        assert make()[3] == whole[3]
        assert make()[-1] == whole[-1]
        assert make()[1:4] == whole[1:4]
        assert list(reversed(make())) == whole[::-1]
        assert whole[2] in make()
        assert make()
        assert make().first_id == 1
        for place in range(7):
            assert list(make().since(place)) == whole[place:]
            assert make().since(place).whole() == whole[place:]
        assert list(make().since(1).since(2)) == whole[3:]
        with pytest.raises(IndexError, match='no event at place 5'):
            make()[5]
    empty, _ = sequence([], [])
    assert (list(empty), len(empty), bool(empty), empty.first_id) == ([], 0, False, 0)


def test_no_page_is_requested_that_nobody_wants():
    events, requested = sequence(numbered(1, 2), numbered(3), numbered(4))
    assert (events[1]['eventId'], bool(events), events.first_id, requested) == (2, True, 1, [])
    assert (events[2]['eventId'], len(requested), events.arrived) == (3, 1, 3)
    assert (len(events), len(requested)) == (4, 2)
    assert len(events) == 4


def test_a_page_that_failed_fails_again():
    def later():
        yield numbered(2)
        raise ValueError('broken')

    events = TaskEvents(numbered(1), later())
    with pytest.raises(ValueError, match='broken') as caught:
        list(events)
    assert events.failure is caught.value
    with pytest.raises(ValueError, match='broken') as again:
        list(events)
    assert again.value is caught.value
    assert events[1]['eventId'] == 2


def test_events_are_equal_to_a_list_of_them_and_can_be_copied():
    whole = numbered(1, 2, 3)

    def make():
        return sequence(whole[:1], whole[1:])[0]

    assert make() == whole
    assert whole == make() == make()
    assert make() != whole[:1]
    assert make() != tuple(whole)
    pickled = pickle.dumps(make())
    for copied in (copy.copy(make()), copy.deepcopy(make()), pickle.loads(pickled)):  # noqa: S301 - its own
        assert copied == whole
    tasks = [DecisionTask('token', 'main', 'run', 'Steps', '1', 3, 0, events) for events in (make(), whole, whole[:1])]
    assert tasks[0] == tasks[1] == copy.deepcopy(tasks[1]) != tasks[2]
    assert repr(make()) == '<1 events, more to come>'


class Halfway:
    """Events of which another thread has read the first and waits for the third, until it may go on."""

    def __init__(self, pool):
        self.goes_on = threading.Event()
        asked = threading.Event()

        def later():
            yield numbered(2)
            asked.set()
            assert self.goes_on.wait(60)
            yield numbered(3)
            yield numbered(4)

        self.events = TaskEvents(numbered(1), later())
        self.read = pool.submit(list, self.events)
        assert asked.wait(60)


def test_two_threads_read_the_same_events(pool):
    halfway = Halfway(pool)
    found = iter(halfway.events)
    first = next(found)
    rest = pool.submit(list, found)
    halfway.goes_on.set()
    assert [first, *rest.result(60)] == halfway.read.result(60) == numbered(1, 2, 3, 4)


def test_events_are_given_up_while_another_thread_reads_them(pool):
    halfway = Halfway(pool)
    halfway.events.close()
    halfway.goes_on.set()
    with pytest.raises(HistoryError, match=r'read up to its 3\. event'):
        halfway.read.result(60)
