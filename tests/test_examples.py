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

from genflow.testing import Tester
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
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
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
    """run examples/schedule.py:Schedule '"0 7 * * mon-fri"' skip 0""": {'runs': 0, 'skipped': 0},
    """run examples/agent.py '"what is 6 times 7"\'""": '42',
    """run examples/reminders.py '"water the plants"' 1 3""": [f'{n}. reminder: water the plants' for n in (1, 2, 3)],
}


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
    ],
)
def test_the_schedule_keeps_its_table(table, overlap, expected, took):
    with Tester(example('schedule')['Schedule'], now=WINTER) as tester:
        assert tester.run(table, overlap, 3) == expected
        assert tester.now - WINTER == took


def test_the_schedule_restarts_before_its_history_is_long():
    with Tester(example('schedule')['Schedule'], job='done') as tester:
        assert tester.run('0 7 * * *', 'skip', 250) == {'runs': 250, 'skipped': 0}
        assert len(tester.history.recorded) < 1500


DENIED = 'delete was not approved'


@pytest.mark.parametrize(('signal', 'answer'), [(True, 'everything is gone'), (False, DENIED), (None, DENIED)])
def test_the_agent_asks_before_what_is_dangerous(signal, answer):
    with Tester(example('agent')['Agent']) as tester:
        tester.start('delete it all', 60).advance(seconds=5)
        if signal is not None:
            tester.signal('approved', signal)
        assert tester.result() == answer
        assert [call.proxy.name for call in tester.calls].count('Delete') == (signal is True)
