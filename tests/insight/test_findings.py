"""Each finding: an execution that is broken in that way gets that sentence first."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from random import Random

import pytest

from genflow.insight import RULES, Case, ExecutionView, Facts
from genflow.tools.cli.main import COMMANDS
from tests.insight.breaking import WAYS
from tests.insight.typed import typed

RIGHT = 95


@pytest.mark.parametrize('code', list(WAYS))
def test_an_execution_that_is_broken_in_this_way_gets_this_finding_first(code):
    diagnosis = WAYS[code]({})
    assert [finding.code for finding in diagnosis.findings][:1] == [code]
    assert diagnosis.is_healthy == (diagnosis.findings[0].level != 'cause')
    for finding in diagnosis.findings:
        for command in finding.commands:
            typed(command)
        assert _in_prose(finding.remedy) == []


def _in_prose(remedy):
    """The commands of a remedy that do not stand on a line of their own, so that nobody can copy them."""
    prose = [line for line in remedy.splitlines() if not line.startswith('genflow ')]
    return [name for name in re.findall(r'genflow ([a-z]+)', '\n'.join(prose)) if name in COMMANDS]


@pytest.mark.parametrize('workflow_id', ["it's $(one)", '-x', '--all', 'ä b', '"', 'a;b'])
def test_a_command_names_the_execution_whatever_its_id_is(workflow_id):
    facts = Facts(live=True, options="--db 'my orders.db'", domain='d', target='my flows.py:Order')
    case = Case(ExecutionView(workflow_id, 'r'), datetime(2000, 1, 1, tzinfo=timezone.utc), facts)
    name, given = typed(case.on_this('debug', case.target, at=7, run_id='r'))
    assert (name, given['workflow_id'], given['target']) == ('debug', workflow_id, 'my flows.py:Order')
    assert (given['event_id'], given['run_id'], given['db']) == (7, 'r', 'my orders.db')


def test_a_command_about_a_file_names_the_file(tmp_path):
    path = tmp_path / 'a history.json'
    path.write_text('{}')
    case = Case(ExecutionView('w'), datetime(2000, 1, 1, tzinfo=timezone.utc), Facts(file=str(path)))
    _, given = typed(case.on_this('why', case.target, **{'if': 'fire 3'}))
    assert (given['path'], given['workflow_id'], given['supposed']) == (str(path), 'TARGET', ('fire 3',))


def test_each_rule_has_an_execution_that_is_broken_in_its_way():
    assert set(WAYS) == {rule.code for rule in RULES}


def test_each_rule_says_what_it_finds():
    assert [rule.code for rule in RULES if not rule.meaning] == []


def test_of_a_hundred_executions_broken_at_random_nearly_all_get_the_right_first_finding():
    random = Random(15)
    codes = [code for code in WAYS if code not in ('many-events', 'many-open')]  # each takes a second to break
    wrong = []
    for _ in range(100):
        code = random.choice(codes)
        noise = {'warmups': random.randrange(4), 'beside': random.random() < 0.5}
        found = WAYS[code](noise).findings
        if not found or found[0].code != code:
            wrong.append((code, noise, [finding.code for finding in found]))
    assert len(wrong) <= 100 - RIGHT, wrong
