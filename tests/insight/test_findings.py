"""Each finding: an execution that is broken in that way gets that sentence first."""

from __future__ import annotations

from random import Random

import pytest

from genflow.insight import RULES

from .breaking import WAYS

RIGHT = 95


@pytest.mark.parametrize('code', list(WAYS))
def test_an_execution_that_is_broken_in_this_way_gets_this_finding_first(code):
    diagnosis = WAYS[code]({})
    assert [finding.code for finding in diagnosis.findings][:1] == [code]
    assert diagnosis.is_healthy == (diagnosis.findings[0].level != 'cause')


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
