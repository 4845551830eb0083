"""Parts of the dashboard by themselves: the index, the stream of news, patterns, signal forms, tracebacks."""

from __future__ import annotations

import asyncio
import enum
import json
from datetime import datetime, timedelta, timezone
from typing import Literal

import pytest
from attrs import define, evolve

from genflow import Signal, Workflow, update
from genflow.core.tasks.signals import signals_of
from genflow.tools.dashboard.data.executions import Index, Query, Row, listing_of
from genflow.tools.dashboard.events.regex import PatternError, matching
from genflow.tools.dashboard.pages.live import watch
from genflow.tools.dashboard.pages.operations import own_lines
from genflow.tools.dashboard.pages.signal_forms import SignalForm, form_of, hints_of, update_form_of
from genflow.tools.dashboard.site import NotFound, Streams
from tests.insight.breaking import DOMAIN, Environment, Plain
from tests.tools.dashboard.sites import source_of

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def rows_of(count, **more):
    moments = (START + timedelta(seconds=number) for number in range(count))
    return [Row(f'w{number}', f'r{number}', 'Order', '1', 'open', at, **more) for number, at in enumerate(moments)]


def test_the_index_sees_what_starts_and_what_closes():
    env = Environment()
    index = Index(source_of(env), DOMAIN, clock=lambda: 0.0)
    assert index.rows() == []
    env.begin(Plain, 'w')
    index.stale()
    assert [(row.workflow_id, row.status) for row in index.rows()] == [('w', 'open')]
    before = index.version
    env.wait(10)
    env.swf.terminate_workflow_execution(domain=DOMAIN, workflowId='w')
    index.stale()
    assert [(row.workflow_id, row.status) for row in index.rows()] == [('w', 'terminated')]
    assert index.version > before
    before = index.version
    index.stale()
    index.rows()
    assert index.version == before


def test_the_index_is_requested_again_after_a_while_only():
    env = Environment()
    now = [0.0]
    index = Index(evolve(source_of(env), pace=2.0), DOMAIN, clock=lambda: now[0])
    index.rows()
    env.begin(Plain, 'w')
    now[0] = 1.9
    assert index.rows() == []
    now[0] = 2.0
    assert len(index.rows()) == 1


def test_a_hundred_stand_on_a_page_and_the_last_page_is_not_passed():
    listing = listing_of(rows_of(250), Query(page=9))
    assert (listing.pages, listing.query.page, len(listing.rows), listing.total) == (3, 3, 50, 250)
    assert listing.rows[-1][1].workflow_id == 'w0'


def test_families_in_a_circle_end():
    rows = [
        Row('a', '1', 'T', '1', 'open', START, parent=('b', '2')),
        Row('b', '2', 'T', '1', 'open', START, parent=('a', '1')),
        Row('c', '3', 'T', '1', 'open', START, parent=('g', 'gone')),
    ]
    assert [row.workflow_id for _, row in listing_of(rows, Query()).rows] == ['c']


def test_a_query_is_written_as_it_is_read():
    query = Query(id='a b', status='timed out', sort='-id', page=3, flat=True)
    assert Query.of(query.params()) == query
    assert Query().params() == {}
    assert Query().sorted_by('started').sort == 'started'
    assert Query(sort='id').sorted_by('id').sort == '-id'


@pytest.mark.thorough
def test_a_pattern_that_would_take_for_ever_is_given_up():
    with pytest.raises(PatternError, match='takes too long'):
        matching('(a+)+$', ['a' * 60 + 'b'], seconds=1)


@pytest.mark.parametrize('pattern', ['(', '[', '*', 'x' * 501])
def test_a_pattern_that_is_none_is_refused(pattern):
    with pytest.raises(PatternError):
        matching(pattern, [])


def test_what_python_warns_of_in_a_pattern_is_no_error():
    assert matching('[[a]', ['[', 'b']) == [0]


def test_matches_are_found_whatever_their_case():
    assert matching('a.c', ['xABCx', 'no', 'a\u2028c abc']) == [0, 2]


class Browser:
    """A request whose browser leaves after some looks."""

    def __init__(self, looks):
        self.looks = looks

    async def is_disconnected(self):
        self.looks -= 1
        return self.looks < 0


def told(look, known='', looks=5):
    async def collect():
        return [text async for text in watch(Browser(looks), look, known, 0)]

    return asyncio.run(collect())[1:]


def test_news_carry_the_id_of_the_last_event():
    seen = iter(['5', '5', '7', '7', '7'])
    assert told(lambda: (next(seen), True)) == [
        'id: 5\nevent: changed\ndata: 5\n\n',
        'id: 7\nevent: changed\ndata: 7\n\n',
    ]


def test_who_comes_back_is_told_only_what_is_new():
    assert told(lambda: ('7', True), known='7') == []
    assert told(lambda: ('8', True), known='7', looks=1) == ['id: 8\nevent: changed\ndata: 8\n\n']


def test_a_closed_execution_ends_the_stream():
    assert [text.split('\n')[1] for text in told(lambda: ('9', False), looks=9)] == ['event: changed', 'event: closed']


def test_the_streams_of_a_server_that_stops_end():
    streams = Streams()

    def look():
        streams.end()
        return '5', True

    async def collect():
        return [text async for text in watch(Browser(9), look, '', 3600, streams)]

    assert len(asyncio.run(collect())) == 2


def test_the_stream_of_what_is_not_there_ends():
    def look():
        raise NotFound('There is no such execution.')

    assert told(look) == ['event: closed\ndata: There is no such execution.\n\n']


def test_a_service_that_goes_away_is_lost_once_and_comes_back():
    answers = iter([None, None, '5', '5'])

    def look():
        found = next(answers)
        if found is None:
            raise ValueError('nobody\nanswers')
        return found, True

    names = [text.split('\n') for text in told(look, known='5', looks=4)]
    assert names[0][:2] == ['event: lost', 'data: nobody answers']
    assert [name[1] for name in names[1:]] == ['event: changed']


def test_hints_of_signals_are_known_by_their_names():
    class Hinted(Workflow):
        approve: bool = Signal()
        amount: int = Signal('how-much')
        plain = Signal()

        def run(self):
            yield self.approve.get()

    assert hints_of(Hinted) == {'approve': bool, 'how-much': int}


def test_the_type_of_a_signal_is_its_hint():
    class Typed(Workflow):
        approve = Signal[bool]()
        annotated: Signal[int] = Signal[int]('how-much')
        plain: Signal = Signal()

        def run(self):
            yield self.approve.get()

    assert hints_of(Typed) == {'approve': bool, 'how-much': int}


class Colour(enum.Enum):
    RED = 'r'
    GREEN = 'g'


@define
class Verdict:
    is_good: bool
    by: str
    points: list[int]
    colour: Colour
    inner: Verdict | None = None


@define
class Endless:
    again: Endless


class Typed(Workflow):
    verdict = Signal[Verdict]()
    speed = Signal[Literal['slow', 'fast']]()
    colour = Signal[Colour]('the-colour')
    word = Signal[str]()
    count = Signal[int]()
    flag = Signal[bool]()
    endless = Signal[Endless]()
    anything = Signal()

    def run(self):
        yield self.verdict.get()

    @update
    def change(self, verdict: Verdict, times: int, note: str = ''):
        return times


def test_a_signal_with_a_type_has_a_form_that_suits_it():
    hints = hints_of(Typed)
    forms = {name: form_of(name, hints.get(name)) for name in signals_of(Typed)}
    assert {name: form.kind for name, form in forms.items()} == {
        'verdict': 'value',
        'speed': 'choice',
        'the-colour': 'choice',
        'word': 'text',
        'count': 'number',
        'flag': 'bool',
        'endless': 'value',
        'anything': 'value',
    }
    assert forms['speed'].options == (('slow', '"slow"'), ('fast', '"fast"'))
    assert forms['the-colour'].options == (('RED', '"r"'), ('GREEN', '"g"'))
    blank = {'is_good': False, 'by': '', 'points': [], 'colour': 'r', 'inner': None}
    assert json.loads(forms['verdict'].example) == blank
    assert forms['endless'].example.count('again') == 4
    assert forms['anything'] == SignalForm('anything')


def test_an_update_has_a_form_with_an_example_of_its_arguments():
    form = update_form_of('change', Typed.change)
    assert form.signature == "(verdict: 'Verdict', times: 'int', note: 'str' = '')"
    verdict, times = json.loads(form.example)
    assert (verdict['by'], times) == ('', 0)


def test_the_users_lines_of_a_traceback_come_first():
    traceback = (
        'Traceback (most recent call last):\n'
        '  File "/x/site-packages/genflow/swf/worker/activity_runner.py", line 9, in run_activity\n'
        '    run()\n'
        '  File "/home/me/shop.py", line 12, in run\n'
        '    return pay(order)\n'
        '  File "/home/me/pay.py", line 3, in pay\n'
        '    raise ValueError\n'
        'ValueError\n'
    )
    assert [(line.place, line.source) for line in own_lines(traceback)] == [
        ('pay.py:3 in pay', 'raise ValueError'),
        ('shop.py:12 in run', 'return pay(order)'),
    ]
