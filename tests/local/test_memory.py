"""What is put away comes back; what is long or many does not slow the rest."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys

import pytest

from genflow.local import LocalSWF
from genflow.local.errors import CorruptFile
from genflow.local.json_text import encode
from genflow.local.state import state
from genflow.local.state.task_lists import TaskQueue
from genflow.local.state.transaction import Batch
from genflow.local.store import MemoryStore, Store
from tests.local.domain import Domain, decision, schedule


@pytest.fixture(params=['memory', 'file'])
def forgetful(request, monkeypatch, path, clock):
    """A service that keeps no execution at hand that it can put away, and looks after every call."""
    monkeypatch.setattr(state, 'KEPT_EXECUTIONS', 0)
    monkeypatch.setattr('genflow.local.engine.locked_state.PUT_AWAY_EVERY', 1)
    place = path if request.param == 'file' else ':memory:'
    with contextlib.closing(LocalSWF(place, clock, synchronous='OFF')) as swf:
        yield Domain(swf, clock).prepare()


def event(event_id, event_type):
    """The text of an event."""
    moment, member = 0.5, f'{event_type[0].lower()}{event_type[1:]}EventAttributes'
    return encode({'eventTimestamp': moment, 'eventType': event_type, 'eventId': event_id, member: {}})


def test_events_in_memory_are_read_as_those_of_a_file_are(path):
    """Without a file they are in no table."""
    types = ['WorkflowExecutionStarted', 'DecisionTaskCompleted', 'ActivityTaskScheduled', 'MarkerRecorded'] * 3
    texts = [event(number, event_type) for number, event_type in enumerate(types, start=1)]
    with contextlib.closing(Store(path)) as file, contextlib.closing(MemoryStore()) as memory:
        for store in (file, memory):
            for first in (0, 5):
                events = [(key << 20 | 1 + n, texts[n]) for n in range(first, first + 5) for key in (7, 8)]
                store.fold((None,) * 8, events=events)
        for read in (
            lambda store: store.events(7, 1, 10),
            lambda store: store.events(8, 0, (1 << 20) - 1),
            lambda store: store.events(7, 3, 3),
            lambda store: store.events(7, 2, 9, newest_first=True),
            lambda store: store.last_event(7),
            lambda store: store.last_activity(8),
            lambda store: store.last_decision(8),
        ):
            assert read(memory) == read(file)
        for store in (file, memory):
            store.reset()
            assert store.last_decision(7) is None
            with pytest.raises(CorruptFile, match='execution 7 has no events'):
                store.last_event(7)


def fold(domain):
    """Have everything folded, which lets executions be put away."""
    domain.swf.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})


def test_an_execution_that_was_put_away_comes_back_whole(forgetful, clock):
    domain = forgetful
    execution = domain.start(input='[7]')
    domain.decide(schedule('a', input='[1]'), decision('StartTimer', timerId='t', startToFireTimeout='10'))
    fold(domain)
    activity = domain.poll_activity()
    assert activity['input'] == '[1]'
    fold(domain)
    domain.swf.record_activity_task_heartbeat(taskToken=activity['taskToken'], details='half')
    fold(domain)
    clock.advance(10)
    fold(domain)
    assert domain.poll_decision()['events'][-3]['eventType'] == 'TimerFired'
    fold(domain)
    clock.advance(590)
    timed_out = [event for event in domain.history(execution) if event['eventType'] == 'ActivityTaskTimedOut']
    assert timed_out[0]['activityTaskTimedOutEventAttributes']['details'] == 'half'


def test_a_heartbeat_keeps_its_execution_at_hand_until_the_file_has_it(forgetful, clock):
    domain = forgetful
    domain.start()
    domain.decide(schedule('a', heartbeatTimeout='5'))
    activity = domain.poll_activity()
    fold(domain)
    clock.advance(4)
    domain.swf.record_activity_task_heartbeat(taskToken=activity['taskToken'], details='x')
    domain.poll_decision()
    clock.advance(4)
    assert domain.swf.record_activity_task_heartbeat(taskToken=activity['taskToken'])['cancelRequested'] is False


def test_a_long_history_is_read_from_memory_and_file(domain):
    """5,000 events of a kilobyte: more than is kept at hand."""
    execution = domain.start()
    marker = decision('RecordMarker', markerName='m', details='x' * 1000)
    for _ in range(5):
        domain.decide(*[marker] * 996)
        domain.signal()
    events = domain.history(execution)
    assert [event['eventId'] for event in events] == list(range(1, 5 * 1000 + 2 + 1))
    task = domain.poll_decision(maximumPageSize=7, startAtPreviousStartedEvent=True)
    first = task['previousStartedEventId']
    assert [event['eventId'] for event in task['events']] == list(range(first, first + 7))


def test_what_opens_and_settles_between_folds_never_reaches_a_table(domain):
    """The batch forgets an item that was not written yet."""
    execution = domain.start()
    domain.decide(decision('StartTimer', timerId='t', startToFireTimeout='0'))
    assert domain.types(execution)[-2:] == ['TimerFired', 'DecisionTaskScheduled']


class Thing:
    """An item, as a batch sees it."""

    def __init__(self):
        self.saved = self.folded = False

    def row(self):
        return '{"kind":"thing"}'


def test_an_item_that_only_one_batch_knew_leaves_no_trace():
    batch, thing = Batch(1), Thing()
    batch.touched[5] = thing
    batch.drop(5, thing)
    assert batch.columns(folding=False) == (None,) * 8


def test_an_item_in_the_journal_is_dropped_there_and_not_in_the_table():
    unfolded, thing = Batch(0), Thing()
    first = Batch(1)
    first.touched[5] = thing
    assert first.columns(folding=False)[2] == '{"5":{"kind":"thing"}}'
    unfolded.absorb(first)
    second = Batch(2)
    second.drop(5, thing)
    assert second.columns(folding=False)[1] == '[5]'
    unfolded.absorb(second)
    assert unfolded.columns(folding=True) == (None,) * 8


def test_an_item_in_the_table_is_dropped_from_it():
    unfolded, thing = Batch(0), Thing()
    first = Batch(1)
    first.touched[5] = thing
    unfolded.absorb(first)
    assert unfolded.columns(folding=True)[2] == '{"5":{"kind":"thing"}}'
    later, second = Batch(1), Batch(2)
    second.drop(5, thing)
    later.absorb(second)
    assert later.columns(folding=True)[1] == '[5]'


AT_EXIT = """
import atexit

@atexit.register  # before genflow is imported, so it runs after what that does at the end
def last():
    with contextlib.closing(LocalSWF()) as swf:
        print(swf.list_domains(registrationStatus='REGISTERED')['domainInfos'])

import contextlib
from genflow.local import LocalSWF
LocalSWF().close()
"""


@pytest.mark.thorough
def test_there_are_services_until_the_very_end_of_the_process():
    done = subprocess.run([sys.executable, '-c', AT_EXIT], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ('[]\n', '')


def task_queues():
    """How many there are in this process."""
    return sum(type(thing) is TaskQueue for thing in gc.get_objects())


@pytest.mark.thorough
def test_task_lists_that_hold_nothing_and_that_nobody_polls_are_forgotten(monkeypatch):
    """Clients may ask for a list of a new name each time; the service keeps those alone that matter."""
    monkeypatch.setattr('genflow.local.engine.locked_state.PUT_AWAY_EVERY', 1)
    with LocalSWF(long_poll=0) as swf:
        domain = Domain(swf).prepare()
        domain.start(taskList={'name': 'kept'})
        before = task_queues()
        for number in range(500):
            domain.poll_decision(f'{number}')
        assert task_queues() <= before + 1
        assert 'taskToken' in domain.poll_decision('kept')
