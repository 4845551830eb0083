"""``dev.py mutate``: which changes it makes, and that it leaves nothing behind."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import Process

ROOT = Path(__file__).resolve().parents[1]
LONG = 120
pytest.importorskip('cosmic_ray', reason='the extra `mutation` is not installed')


@pytest.fixture(scope='module')
def mutants():
    spec = importlib.util.spec_from_file_location('mutants', ROOT / '.ci' / 'mutants.py')
    module = sys.modules['mutants'] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOURCE = """
from typing import overload

class Box:
    size: int | None = field(init=False, repr=False)

    @overload
    def put(self, *, thing): ...

    def put(self, thing):
        if self.size < 3 and thing:
            self.things.append(thing)
            log.warning('put')
            local = 1
        raise ValueError('full')
"""


@pytest.fixture
def changes(mutants, tmp_path):
    """Every change of the source, as lines before and after."""
    (tmp_path / 'box.py').write_text(SOURCE)
    found = [mutant for ways in mutants.places_of(tmp_path, 'box.py') for mutant in ways]
    return {mutants.difference(SOURCE, mutant.applied(SOURCE)) for mutant in found}


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('self.things.append(thing)', 'pass'),
        ("raise ValueError('full')", 'pass'),
        ('if self.size < 3 and thing:', 'if self.size >= 3 and thing:'),
        ('if self.size < 3 and thing:', 'if self.size < 3 or thing:'),
        ('if self.size < 3 and thing:', 'if self.size < 4 and thing:'),
        ('if self.size < 3 and thing:', 'if not self.size < 3 and thing:'),
        ('local = 1', 'local = 2'),
    ],
)
def test_a_change_is_made(changes, old, new):
    assert (old, new) in changes


def test_what_means_the_same_or_only_speaks_is_left_alone(changes):
    changed = {old for old, _ in changes}
    assert not [old for old in changed if 'field(' in old or 'overload' in old or 'log.' in old or '*, thing' in old]
    assert ('local = 1', 'pass') not in changes  # it would only be a NameError


def test_a_seed_draws_the_same_sample_each_time(mutants):
    first, again, other = (mutants.mutants(ROOT, [Path('genflow/core/calls')], seed, sample=5) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 5


def test_each_change_that_means_the_same_has_its_reason_and_its_line(mutants):
    listed = mutants.reasons(mutants.REASONS.read_text(encoding='utf-8'))
    for (path, before, _), reason in listed.items():
        lines = [line.strip() for line in (ROOT / path).read_text(encoding='utf-8').splitlines()]
        assert before in lines, f'{path} has no line {before!r} any more'
        assert reason, f'{path}: {before!r} has no reason'
    assert listed


@pytest.mark.skipif(not Path('/proc').exists(), reason='processes are looked for in /proc')
@pytest.mark.thorough
def test_killed_at_any_moment_it_leaves_no_process(tmp_path):
    """Also with SIGKILL, after which it can do nothing any more."""
    words = [sys.executable, '.ci/mutate.py', 'genflow/core/calls/lambda_.py', '--nice', '0']
    words += ['--tests', 'tests/core/test_rule_05_tasks.py', '--sample', '2', '--folder', str(tmp_path / 'session')]
    running = Process(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert 'which lines do the tests run' in next(line for line in running.stderr if 'lines' in line)
    over = time.monotonic() + LONG
    while not tagged(tmp_path):
        assert running.poll() is None
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    while tagged(tmp_path):
        assert time.monotonic() < over


def tagged(folder):
    """The processes that were started by it, and are no zombies."""
    found = []
    for process in Path('/proc').glob('[0-9]*'):
        try:
            if str(folder).encode() in (process / 'environ').read_bytes():
                found.append(process.name)
        except OSError:
            continue
    return found
