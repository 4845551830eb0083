"""Every example runs as its first lines say, and gives what it should."""

from __future__ import annotations

import ast
import json
import re
import runpy
import shlex
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from genflow import Client, NondeterminismError, Steps, Workflow, workflow
from genflow.core.model import info
from genflow.local import LocalSWF
from genflow.swf.worker import Worker
from genflow.testing import Script, Tester, TimeOut, replay
from genflow.testing.tester.tester import START

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / 'examples').glob('*.py'))


def commands():
    """The commands that the docstrings of the examples tell to try."""
    for path in EXAMPLES:
        told = ast.get_docstring(ast.parse(path.read_text(encoding='utf-8')))
        yield from re.findall(r'^genflow (run .*)$', told, re.MULTILINE)


def result_of(command):
    words = [sys.executable, '-m', 'genflow', *shlex.split(command)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_example_says_how_to_run_it():
    named = {re.search(r'examples/\w+\.py', command)[0] for command in commands()}
    assert named == {f'examples/{path.name}' for path in EXAMPLES}


def word_count(folder, top=10):
    """What the example counts, without it."""
    texts = [path for path in folder.rglob('*') if path.suffix in {'.md', '.rst', '.txt'}]
    words = Counter(re.findall(r"[a-z][a-z']*", ' '.join(path.read_text('utf-8') for path in texts).lower()))
    most = sorted(words.items(), key=lambda item: (-item[1], item[0]))[:top]
    return {'files': len(texts), 'words': words.total(), 'most_common': dict(most)}


RESULTS = {
    'run examples/hello.py World': 'Hello, World!',
    'run examples/wordcount.py docs': word_count(ROOT / 'docs'),
    'run examples/order.py 42 book': 'order 42: parcel with book',
    'run examples/order.py 42 anvil': 'order 42 was undone: anvil is too heavy',
    'run examples/approval.py:Purchase chair 80': 'the chair is fine',
    'run examples/approval.py:Purchase yacht 1000000': 'nobody approved the yacht within 3 s',
    """run examples/pipeline.py '{"sum": ["one", "two"], "one": [], "two": [], "double": ["sum"]}\'""": {
        'double': 6,
        'one': 1,
        'sum': 3,
        'two': 2,
    },
    'run examples/subscription.py Ada basic 1 3': 3,
    'run examples/seats.py:Evening 3': {'small': False, 'large': True, 'none': False},
    """run examples/escalation.py '{"item": "crane", "price": 90000}' '["lead", "head"]' 1""": (
        'nobody decided on the crane'
    ),
    'run examples/paging.py 250': {'copied': 248, 'failed': [7, 107]},
    'run examples/permits.py:Crowd 4 2 3 2': [0, 1, 4, 9],
    'run examples/files.py report': 'CONTENT OF REPORT',
    'run examples/signup.py:Signup ada@example.org 1': [
        'kit for ada@example.org',
        'how do you like it, ada@example.org?',
    ],
    """run examples/schedule.py:Schedule '"0 7 * * mon-fri"' skip 0""": {'runs': 0, 'skipped': 0},
    """run examples/agent.py '"what is 6 times 7"\'""": '42',
    """run examples/reminders.py '"water the plants"' 1 3""": [f'{n}. reminder: water the plants' for n in (1, 2, 3)],
}


@pytest.mark.thorough
@pytest.mark.parametrize('command', list(commands()))
def test_an_example_gives_what_it_should(command):
    assert result_of(command) == RESULTS[command]


def test_reminders_work_with_days_for_seconds():
    reminders = runpy.run_path(str(ROOT / 'examples' / 'reminders.py'))['Reminders']
    with Tester(reminders) as tester:
        assert tester.run('water the plants', 30 * 86400, 3) == [f'{n}. reminder: water the plants' for n in (1, 2, 3)]
        assert tester.now - START == timedelta(days=90)


def example(name):
    return runpy.run_path(str(ROOT / 'examples' / f'{name}.py'))


WINTER = datetime(2024, 1, 5, 12, tzinfo=timezone.utc)  # a Friday in Vienna, 13:00


@pytest.mark.parametrize(
    ('table', 'overlap', 'expected', 'took'),
    [
        ('0 7 * * mon-fri', 'skip', {'runs': 3, 'skipped': 0}, timedelta(days=4, hours=18, minutes=45)),
        ('*/30 * * * *', 'skip', {'runs': 2, 'skipped': 1}, timedelta(hours=1, minutes=30 + 45)),
        ('*/30 * * * *', 'replace', {'runs': 3, 'skipped': 0}, timedelta(hours=1, minutes=30 + 45)),
        ('*/30 * * * *', 'queue', {'runs': 3, 'skipped': 0}, timedelta(minutes=30 + 3 * 45)),
    ],
)
def test_the_schedule_keeps_its_table(table, overlap, expected, took):
    with Tester(example('schedule')['Schedule'], now=WINTER) as tester:
        assert tester.run(table, overlap, 3) == expected
        assert tester.now - WINTER == took


@pytest.mark.thorough
def test_the_schedule_restarts_before_its_history_is_long():
    with Tester(example('schedule')['Schedule'], job='done', sticky=True) as tester:
        assert tester.run('0 7 * * *', 'skip', 120) == {'runs': 120, 'skipped': 0}
        assert len(tester.history.recorded) < 700


DENIED = 'delete was not approved'


@pytest.mark.parametrize(('approved', 'answer'), [(True, 'all is gone'), (False, DENIED), (None, DENIED)])
def test_the_agent_asks_before_what_is_dangerous(approved, answer):
    with Tester(example('agent')['Agent']) as tester:
        tester.start('delete all', 60).advance(seconds=5)
        assert [call['with'] for call in tester.query('waiting')] == [['all']]
        if approved is not None:
            tester.signal('approval', {'call': '0', 'approved': approved})
        assert tester.result() == answer
        assert [call.proxy.name for call in tester.calls].count('Delete') == (approved is True)


def test_each_approval_reaches_the_call_that_it_is_for():
    """Branches that wait for one signal get each their own answer, in whichever order people give them."""
    with Tester(example('agent')['Agent']) as tester:
        tester.start('delete this that', 3600).advance(seconds=5)
        tester.signal('approval', {'call': 'unknown', 'approved': True})
        tester.signal('approval', {'call': '1', 'approved': True}).advance(seconds=5)
        tester.signal('approval', {'call': '0', 'approved': False})
        assert tester.result() == f'{DENIED}, that is gone'
        assert tester.now - START < timedelta(minutes=1)


def test_what_is_no_approval_does_not_fail_the_agent(caplog):
    with Tester(example('agent')['Agent']) as tester:
        tester.start('delete all', 60).advance(seconds=5).signal('approval', 'yes').advance(seconds=5)
        assert tester.signal('approval', {'call': '0', 'approved': True}).result() == 'all is gone'
    assert "the input of signal 'approval' is no Approval" in caplog.text


def test_a_subscription_lives_through_its_restarts(monkeypatch):
    monkeypatch.setattr(info, 'RESTART_SUGGESTED', 50)
    subscription = example('subscription')['Subscription']
    bills = []
    with Tester(subscription, bill=lambda customer, amount: bills.append((tester.now - START, amount))) as tester:
        tester.start('Ada', 'basic').advance(days=45).signal('change', {'plan': 'premium'}).advance(days=16)
        assert bills == [(timedelta(days=30), 5), (timedelta(days=60), 12)]
        assert tester.query('state') == {'plan': 'premium', 'billed': 2}
        for _ in range(20):
            tester.signal('change', {'plan': 'gold'}).advance(hours=1)
        tester.advance(days=30)
        started = tester.history.events[0]['workflowExecutionStartedEventAttributes']
        assert 'continuedExecutionRunId' in started
        assert bills[2:] == [(timedelta(days=90), 12)]
        assert tester.signal('change', {'ends': True}).result() == 3


def hall_and_booking(seats, free, **options):
    module = example('seats')
    tester = Tester(module['Booking'], workflow_id='booking', **options)
    tester.start_other(module['Hall'], free, workflow_id='hall').start(seats, ['hall', 'other'])
    return tester, module


def test_answers_reach_the_question_that_they_are_for_in_any_order():
    tester, module = hall_and_booking(2, 5)
    with tester:
        tester.start_other(module['Hall'], 1, workflow_id='other')
        tester.signal('answer', {'key': 'of somebody else', 'granted': False})
        assert tester.result() == {'hall': True, 'other': False}


def test_answers_to_others_do_not_keep_a_question_waiting():
    """A time-out is for one question: what comes for others does not begin it anew."""

    @workflow(name='Silent', version=1, task_list='seats')
    class Silent(Workflow):
        def run(self) -> Steps[None]:
            yield self.sleep(1800)

    tester, _ = hall_and_booking(9, 5)
    with tester:
        tester.start_other(Silent, workflow_id='other')
        for number in range(4):
            tester.advance(seconds=25)
            if not tester.is_closed:
                tester.signal('answer', {'key': f'other {number}', 'granted': True})
        assert tester.is_closed
        assert tester.result() == {'hall': False, 'other': False}


def test_a_verdict_goes_up_a_level_when_nobody_answers():
    escalation = example('escalation')['ApprovePurchase']
    told = []
    levels = ['lead', 'head', 'chief']

    def started():
        told.clear()
        tester = Tester(escalation, notify=lambda who, text: told.append(who))
        return tester.start({'item': 'crane', 'price': 90000}, levels)

    with started() as tester:
        tester.advance(days=1, hours=1)
        assert told == ['lead', 'lead']
        assert tester.signal('verdict', {'who': 'lead', 'approved': False}).result() == 'crane refused by lead'
    with started() as tester:
        tester.advance(days=4)
        assert (told[-1], tester.status) == ('head', {'asked': 'head'})
        tester.signal('verdict', {'who': 'lead', 'approved': True}).advance(seconds=1)  # too late
        assert not tester.is_closed
        assert tester.signal('verdict', {'who': 'chief', 'approved': True}).result() == 'crane approved by chief'
    with started() as tester:
        assert tester.result() == 'nobody decided on the crane'
        assert told == [who for who in levels for _ in range(3)]
        assert tester.now - START == timedelta(days=9)


@pytest.mark.thorough
def test_each_page_has_a_history_of_its_own():
    with Tester(example('paging')['CopyAll'], sticky=True) as tester:
        assert tester.run(300) == {'copied': 298, 'failed': [7, 107]}
        assert len(tester.history.events) < 800


def test_permits_hold_the_limit_and_the_rate():
    module = example('permits')
    spans = []

    @workflow(name='Caller', version=1, task_list='gate')
    class Slow(module['Limited']):
        def run(self, number: int) -> Steps[int]:
            return (yield from self.through('gate', lambda: self.spawn(self.work(number))))

        def work(self, number: int) -> Steps[int]:
            began = self.now()
            yield self.sleep(5)
            spans.append((began, self.now()))
            return number

    with Tester(module['Crowd'], stubs={module['Caller']: Slow}, sticky=True) as tester:
        assert tester.run(10, 2, 3, 60) == list(range(10))
    assert len(spans) == 10
    for began, ended in spans:
        assert sum(other <= began < end for other, end in spans) <= 2
        assert sum(began <= other < began + timedelta(seconds=60) for other, _ in spans) <= 3
        assert ended - began == timedelta(seconds=5)


def test_a_file_is_converted_where_it_was_downloaded():
    module = example('files')
    with LocalSWF() as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        types = [module[name] for name in ('ConvertFile', 'download', 'convert', 'remove')]
        with Worker('d', 'files', service, registry=types, own_list=True), Client('d', service) as client:
            execution = client.starter(module['ConvertFile'])('report')
            assert execution.result(timeout=180) == 'CONTENT OF REPORT'
            events = [event.get('activityTaskScheduledEventAttributes') for event in execution.history()]
    lists = {event['activityType']['name']: event['taskList']['name'] for event in events if event}
    assert lists['Download'] == 'files' != lists['Convert'] == lists['Remove']


def test_a_host_that_is_gone_loses_its_files():
    found = Script(('a', '/a/report'), ('b', '/b/report'))
    convert = Script(TimeOut('SCHEDULE_TO_START'), 'REPORT')
    with Tester(example('files')['ConvertFile'], download=found, convert=convert, remove=None) as tester:
        assert tester.run('report') == 'REPORT'
        calls = [event.get('activityTaskScheduledEventAttributes') for event in tester.history.events]
        lists = [(call['activityType']['name'], call['taskList']['name']) for call in calls if call]
    assert [place for name, place in lists if name == 'Convert'][
        1
    ] == 'b'  # the tester's time-out has a list of its own
    assert [place for name, place in lists if name == 'Remove'] == ['a', 'b']


SIGNUPS = ['SignupBefore', 'Signup', 'SignupAfter']
FITS = {('SignupBefore', 'Signup'), ('Signup', 'SignupAfter'), ('SignupAfter', 'Signup')}


@pytest.mark.parametrize('old', SIGNUPS)
@pytest.mark.parametrize('new', SIGNUPS)
def test_executions_continue_over_each_step_of_a_change(old, new):
    module = example('signup')
    options = {'name': 'Signup', 'version': 1, 'task_list': 'signup', 'workflow_duration': 30 * 86400}
    classes = {name: workflow(**options)(type('Signup', (module[name],), {})) for name in (old, new)}
    with Tester(classes[old]) as tester:
        halfway = tester.start('ada@example.org').advance(days=1).history
    if old == new or (old, new) in FITS:
        assert replay(halfway, classes[new]).pending is False
    else:
        with pytest.raises(NondeterminismError):
            replay(halfway, classes[new])
