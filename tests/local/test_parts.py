"""The small parts: heaps of deadlines and tasks, tokens, token buckets, pages."""

from __future__ import annotations

import json
import threading
from copy import deepcopy
from operator import itemgetter

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from genflow.local.errors import ServiceError
from genflow.local.json_text import encode
from genflow.local.operations.paging import Span, span
from genflow.local.requests.model import shape_for
from genflow.local.requests.tokens import TaskToken, page_token, read_page_token, read_task_token, seal
from genflow.local.rules.recording import TEXTS
from genflow.local.state.deadlines import SOON, Deadlines
from genflow.local.state.execution import TAIL_CHARACTERS, Tail
from genflow.local.state.items import ITEM_KINDS, Activity, load_item
from genflow.local.state.task_lists import TaskQueue, Waiter
from genflow.local.state.token_buckets import Rates

# Deadlines.


@pytest.mark.thorough
@given(
    st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(0, 20), st.booleans()), max_size=200),
    st.sampled_from([1, SOON // 3, SOON]),
)
def test_deadlines_come_in_order_and_only_the_last_of_each(changes, unit):
    deadlines, expected = Deadlines(), {}
    for ref, units, looks in changes:
        moment = None if units is None else units * unit
        deadlines.set(ref, moment)
        if expected.get(ref) != moment:
            expected.pop(ref, None)
            if moment is not None:
                expected[ref] = moment
        assert not expected or deadlines.soonest <= min(expected.values())
        if looks:
            assert deadlines.first() == min(expected.values(), default=None)
    assert len(deadlines) == len(expected)
    popped = []
    while deadlines.first() is not None:
        popped.append(deadlines.pop())
    in_order = [(moment, ref) for ref, moment in expected.items()]  # in which they were set
    assert popped == sorted(in_order, key=itemgetter(0))


@pytest.mark.parametrize('looks', [True, False])
def test_of_equal_deadlines_the_first_that_was_set_comes_first(looks):
    deadlines = Deadlines()
    for ref in (2, 3, 1, 2):
        deadlines.set(ref, 8 if ref == 2 and not len(deadlines) else 7)
        assert not looks or deadlines.first()
    for moment in range(8, 10_000):  # the heap is rebuilt
        deadlines.set(4, moment)
    assert [deadlines.pop() for _ in range(3) if deadlines.first()] == [(7, 3), (7, 1), (7, 2)]


@pytest.mark.parametrize('looks', [True, False])
def test_a_deadline_that_returns_to_where_it_was_comes_after_those_set_meanwhile(looks):
    """Such as that of an activity whose heartbeats keep it from timing out before its whole time is over."""
    deadlines = Deadlines()
    deadlines.set(3, 1)
    assert not looks or deadlines.first() == 1
    for ref, moment in ((1, 7), (1, 5), (2, 7), (1, 7)):
        deadlines.set(ref, moment)
    assert [deadlines.pop() for _ in range(3) if deadlines.first()] == [(1, 3), (7, 2), (7, 1)]


def test_a_deadline_that_moves_ten_thousand_times_leaves_nothing_behind():
    deadlines = Deadlines()
    for moment in range(10_000):
        deadlines.set(1, moment)
    assert deadlines.first() == 9_999
    assert deadlines.pop() == (9_999, 1)
    assert deadlines.first() is None


# Task lists.


@pytest.mark.thorough
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 9)), max_size=60), st.sets(st.integers(0, 59)))
def test_tasks_come_by_priority_then_by_age(tasks, withdrawn):
    queue = TaskQueue()
    for ref, (priority, since) in enumerate(tasks):
        queue.add(ref, priority, since)
    for ref in withdrawn:
        queue.discard(ref)
    left = [(-priority, since, ref) for ref, (priority, since) in enumerate(tasks) if ref not in withdrawn]
    assert len(queue) == len(left)
    assert [queue.take() for _ in left] == [ref for *_, ref in sorted(left)]
    assert queue.take() is None


def test_a_task_wakes_the_poll_that_has_waited_longest():
    queue = TaskQueue()
    waiters = [Waiter(), Waiter()]
    queue.waiters.extend(waiters)
    queue.add(1, 0, 0)
    assert [waiter.woken for waiter in waiters] == [True, False]
    queue.add(2, 0, 0)
    assert [waiter.woken for waiter in waiters] == [True, True]
    queue.add(3, 0, 0)


def test_a_waiter_wakes_once_and_at_once():
    waiter = Waiter()
    thread = threading.Thread(target=lambda: (waiter.wake(), waiter.wake()))
    thread.start()
    assert waiter.wait(60)
    thread.join()
    assert not waiter.wait(0)


# Tails of histories.


@pytest.mark.thorough
@given(st.lists(st.integers(1, TAIL_CHARACTERS // 3), min_size=1, max_size=30), st.integers(1, 30), st.integers(1, 30))
def test_a_tail_has_the_newest_events_without_a_gap(sizes, first, last):
    tail = Tail(1)
    texts = [f'{number:x>{size}}' for number, size in enumerate(sizes, start=1)]
    for text in texts:
        tail.append(text)
    assert tail.texts == texts[tail.first - 1 :]
    assert tail.characters == sum(map(len, tail.texts)) <= max(TAIL_CHARACTERS, len(texts[-1]))
    assert tail.since(first, last) == [
        text for number, text in enumerate(texts, start=1) if max(first, tail.first) <= number <= last
    ]


# Items.

PERIODS = {
    False: (('SCHEDULE_TO_START', 'to_start', 'since'), ('SCHEDULE_TO_CLOSE', 'to_close', 'since')),
    True: (
        ('START_TO_CLOSE', 'run', 'started_at'),
        ('SCHEDULE_TO_CLOSE', 'to_close', 'since'),
        ('HEARTBEAT', 'beat', 'beaten'),
    ),
}
"""By whether an activity is started: its time-outs, each with its period and when that begins."""


@pytest.mark.parametrize('started', [False, True])
@given(*[st.none() | st.integers(0, 3)] * 4, st.integers(0, 3), st.integers(0, 3))
def test_an_activity_times_out_at_its_first_deadline_and_the_first_of_equal_ones_is_reported(
    started, to_start, to_close, run, beat, started_at, beaten
):
    names = {'name': 'a', 'type_name': 't', 'type_version': '1', 'task_list': 'l', 'priority': 0}
    periods = {'to_start': to_start, 'to_close': to_close, 'run': run, 'beat': beat}
    begins = {'since': 1, 'started_at': started_at, 'beaten': beaten}
    activity = Activity(id=1, **names, **periods, **begins, started=int(started))
    moments = [
        (begins[begin] + periods[period], order, name)
        for order, (name, period, begin) in enumerate(PERIODS[started])
        if periods[period] is not None
    ]
    assert activity.deadline == (min(moments)[0] if moments else None)
    if moments:
        assert activity.timeout_type == min(moments)[2]


# Texts of events.

TEXT = st.text() | st.text(st.sampled_from('"\\\\/<\x00\x1f\n\x7f\u2028\uffff\ud83d\ude00\U0001f600'), max_size=9)
NUMBER = st.integers(0, 2**20)
NAMED = st.fixed_dictionaries({'name': TEXT})
ATTRIBUTES = {
    'ActivityTaskCompleted': ({'scheduledEventId': NUMBER, 'startedEventId': NUMBER}, {'result': TEXT}),
    'ActivityTaskScheduled': (
        {
            'activityId': TEXT,
            'activityType': st.fixed_dictionaries({'name': TEXT, 'version': TEXT}),
            'decisionTaskCompletedEventId': NUMBER,
            'heartbeatTimeout': TEXT,
            'scheduleToCloseTimeout': TEXT,
            'scheduleToStartTimeout': TEXT,
            'startToCloseTimeout': TEXT,
            'taskList': NAMED,
        },
        {'control': TEXT, 'input': TEXT, 'taskPriority': TEXT},
    ),
    'ActivityTaskStarted': ({'scheduledEventId': NUMBER}, {'identity': TEXT}),
    'DecisionTaskCompleted': (
        {'scheduledEventId': NUMBER, 'startedEventId': NUMBER},
        {'executionContext': TEXT, 'taskList': NAMED, 'taskListScheduleToStartTimeout': TEXT},
    ),
    'DecisionTaskScheduled': (
        {'scheduleToStartTimeout': TEXT, 'startToCloseTimeout': TEXT, 'taskList': NAMED},
        {'taskPriority': TEXT},
    ),
    'DecisionTaskStarted': ({'scheduledEventId': NUMBER}, {'identity': TEXT}),
}
"""What the rules give each of these events, and what they may give it."""


@pytest.mark.parametrize('event_type', sorted(TEXTS))
@given(st.data())
def test_an_event_is_written_with_all_that_swf_s_model_has_for_it(event_type, data):
    always, sometimes = ATTRIBUTES[event_type]
    assert {*always, *sometimes} == set(shape_for(f'{event_type}EventAttributes').refs)
    attributes = data.draw(st.fixed_dictionaries(always, optional=sometimes))
    text = TEXTS[event_type](attributes)
    assert (text.isascii(), json.loads(text)) == (True, json.loads(encode(attributes)))


# Tokens.


@given(st.integers(0, 2**40), st.integers(1, 2**20), st.integers(1, 2**20), st.text('abc_-=0', min_size=1))
def test_task_tokens_come_back(key, scheduled, started, run_id):
    token = TaskToken('activity', key, run_id, scheduled, started)
    text = token.text()
    assert len(text) <= 1024
    for brought_back in (text, str(text)):
        assert read_task_token(brought_back, 'activity') == token
        with pytest.raises(ServiceError, match='Invalid token'):
            read_task_token(brought_back, 'decision')


@pytest.mark.parametrize('copy', [str, deepcopy], ids=['str', 'deepcopy'])
def test_a_copy_of_a_token_is_plain_text(copy):
    text = TaskToken('activity', 7, '22run', 5, 6).text()
    copied = copy(text)
    assert type(copied) is str
    assert copied == text


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_damaged_token_is_invalid(position, change):
    text = TaskToken('decision', 7, '22run', 5, 6).text()
    position %= len(text)
    damaged = text[:position] + chr((ord(text[position]) + change) % 128) + text[position + 1 :]
    if damaged != text:
        with pytest.raises(ServiceError, match='Invalid token'):
            read_task_token(damaged, 'decision')


FORGED = [
    seal(body)
    for body in (
        b'decision a 2 3 run',
        b'decision 1 2 3 \xff',
        b'decision 1 2 3 run more',
        b'decision %s 2 3 run' % (b'9' * 5000),
        b'decision 9999999999999999999 2 3 run',
    )
]


@pytest.mark.parametrize(
    'text', ['', 'x', '====', 'AAAA', 'é', seal(b''), seal(b'decision'), seal(b'decision 1 2 3'), *FORGED]
)
def test_what_is_no_task_token(text):
    with pytest.raises(ServiceError, match='Invalid token'):
        read_task_token(text, 'decision')


def test_page_tokens_are_of_their_query_and_grow_old():
    token = page_token(1_000, 'query', [1, 'two'])
    assert read_page_token(token, 1_000 + 60_000, 'query', 60) == [1, 'two']
    with pytest.raises(ServiceError, match='Invalid token'):
        read_page_token(token, 1_000, 'another', 60)
    with pytest.raises(ServiceError, match='exceeded its maximum lifetime'):
        read_page_token(token, 1_000 + 60_001, 'query', 60)


@pytest.mark.parametrize('body', [b'["page",', b'["page",\xff]', b'["page",' + b'[' * 100_000, b'["page",1]'])
def test_what_is_no_page_token(body):
    with pytest.raises(ServiceError, match='Invalid token'):
        read_page_token(seal(body), 0, 'query', 60)


def test_a_task_token_is_no_page_token():
    with pytest.raises(ServiceError, match='Invalid token'):
        read_page_token(TaskToken('decision', 7, '22run', 5, 6).text(), 0, 'query', 60)


# Token buckets.


def test_a_bucket_fills_with_time():
    rates = Rates({'x': (2, 10)})
    assert [rates.allow('x', 0) for _ in range(3)] == [True, True, False]
    assert [rates.allow('x', 100), rates.allow('x', 100)] == [True, False]
    assert [rates.allow('x', 10_000) for _ in range(3)] == [True, True, False]
    assert rates.allow('unlimited', 0)


# Pages.


@given(st.integers(1, 5), st.integers(0, 30), st.integers(1, 10), st.booleans())
def test_spans_cover_a_history_page_by_page(first, count, size, reverse):
    last = first + count
    start, seen = None, []
    for _ in range(100):
        page = span(first, last, size, start, reverse=reverse)
        ids = list(range(page.first, page.last + 1))
        assert 1 <= len(ids) <= size
        seen += reversed(ids) if reverse else ids
        if not page.next:
            break
        start = page.next
    expected = list(range(first, last + 1))
    assert seen == (expected[::-1] if reverse else expected)


def test_a_page_that_is_exactly_full_is_the_last():
    assert span(1, 10, 10, None, reverse=False) == Span(1, 10, 0)


# Rows of what is open.


@pytest.mark.parametrize('kind', ITEM_KINDS)
def test_items_come_back_from_their_rows(kind):
    names = ITEM_KINDS[kind].stored
    data = {name: f'{number}' for number, name in enumerate(names)} | {'kind': kind}
    item = load_item(json.loads(json.dumps(data)))
    assert item.dump() == data
    assert (item.saved, item.folded) == (True, True)


OF_A_TYPE = {'int': 7, 'bool': True, 'str': 'a "b"\n\\ é \ud800', 'int | None': 8, 'str | None': 'x{"'}


@pytest.mark.parametrize('whole', [True, False])
@pytest.mark.parametrize('kind', ITEM_KINDS)
def test_the_row_of_an_item_is_its_json(kind, whole):
    types = {each.name: each.type for each in fields(ITEM_KINDS[kind])}
    data = {'kind': kind}
    for name in ITEM_KINDS[kind].stored[1:]:
        data[name] = None if 'None' in types[name] and not whole else OF_A_TYPE[types[name]]
    assert json.loads(load_item(data).row()) == data
