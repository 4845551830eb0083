"""The phases of a call: a table, and slots that are counted as it says."""

from __future__ import annotations

from collections import Counter

import pytest

from genflow import Retry
from genflow.core.calls import phases
from genflow.core.calls.phases import CLOSED, NEW, TRANSITIONS, WITH_OWN_SLOT, WITH_TIMER_SLOT
from genflow.core.engine import outbox
from genflow.core.engine.outbox import QUOTAS

from .story import Story


def test_every_phase_is_reached_and_ends():
    reached, pending = set(), [NEW]
    while pending:
        phase = pending.pop()
        if phase not in reached:
            reached.add(phase)
            pending += TRANSITIONS[phase].values()
    assert reached == set(TRANSITIONS)
    assert all(CLOSED in steps.values() for steps in TRANSITIONS.values())


def test_every_event_leads_somewhere():
    events = {name for steps in TRANSITIONS.values() for name in steps}
    constants = {value for name in phases.__all__ if isinstance(value := getattr(phases, name), str)}
    assert constants == events | set(TRANSITIONS)


def calls_by_slot(story):
    found = Counter()
    for call in set(story.sticky.calls()):
        if call.quota is not None and call.phase in WITH_OWN_SLOT:
            found[call.quota] += 1
        elif call.phase in WITH_TIMER_SLOT:
            found['timer'] += 1
    return {quota: found[quota] for quota in QUOTAS}


def settle(story, kind, key, *, fails):
    if kind == 'timer':
        story.fired(key)
    elif kind == 'activity' and fails:
        story.failed(key, 'no')
    elif kind == 'activity':
        story.completed(key, key)


@pytest.mark.parametrize('delay', [0, 3600])
@pytest.mark.parametrize('fails', [False, True])
def test_open_work_is_what_the_phases_of_all_calls_say(monkeypatch, delay, fails):
    for quota in QUOTAS:
        monkeypatch.setitem(outbox.QUOTAS, quota, 3)

    def run(self):
        with self.options(delay=delay, retry=Retry(2, initial_interval=60, jitter=0)):
            calls = [self.echo(number) for number in range(5)]
        limits = [self.sleep(60) for _ in range(4)]
        try:
            yield [*calls, *limits]
        except Exception:
            for call in [*calls, *limits]:
                call.cancel()

    story = Story(run)
    for _ in range(60):
        lines = story.decide()
        assert story.sticky.outbox.open == calls_by_slot(story)
        if story.closed:
            break
        for line in lines:
            settle(story, *line.split()[:2], fails=fails)
    assert story.closed
    assert story.sticky.outbox.open == dict.fromkeys(QUOTAS, 0)
