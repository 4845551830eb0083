"""Rule 8: workflow time only."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

import pytest

from genflow import PayloadTooLarge
from genflow.core.engine.execution import Execution
from genflow.core.model import events
from genflow.core.payloads.hooks import decode

from .story import START, Story


def test_now_is_that_of_the_decision_task_and_constant_in_a_decision():
    def run(self):
        times = [self.now(), self.now()]
        yield self.echo()
        times.append(self.now())
        return [time.isoformat() for time in times]

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    started = [event.time.isoformat() for event in story.events if isinstance(event, events.DecisionStarted)]
    assert story.result == [started[0], started[0], started[1]]
    assert started[0] != started[1]


def test_info_says_what_event_1_said():
    def run(self):
        info = self.info
        return [
            info.workflow_id,
            info.run_id,
            info.domain,
            info.name,
            info.version,
            info.task_list,
            list(info.tags),
            info.priority,
            info.child_policy,
            info.lambda_role,
            info.workflow_duration,
            info.decision_duration,
            info.parent_workflow_id,
            info.parent_run_id,
            info.continued_run_id,
            info.started_at == START,
            info.history_length,
        ]

    story = Story(
        run,
        engine={'domain': 'd'},
        tags=('a', 'b'),
        priority=5,
        lambda_role='role',
        workflow_duration=60,
        decision_duration=10,
        parent_workflow_id='p',
        parent_run_id='pr',
        continued_run_id='before',
    )
    story.decide()
    ids = ['desk-1', 'run-1', 'd', 'Desk', '1', 'desk']
    assert story.result == [*ids, ['a', 'b'], 5, 'TERMINATE', 'role', 60, 10, 'p', 'pr', 'before', True, 3]


def test_history_length_is_that_of_the_decision():
    def run(self):
        first = self.info.history_length
        yield self.echo()
        return [first, self.info.history_length]

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    assert story.result == [event.id for event in story.events if isinstance(event, events.DecisionStarted)]


def test_a_restart_is_suggested_from_ten_thousand_events():
    def run(self):
        return self.info.restart_suggested

    story = Story(run)
    story.last_id = 9_996  # a long history, made short
    story.lose_decision_task()
    story.decide()
    assert story.result is True


# chance


def test_random_and_uuid4_are_the_same_at_every_replay():
    def run(self):
        found = [self.random.random(), str(self.uuid4())]
        yield self.echo()
        return [*found, self.random.random(), str(self.uuid4())]

    story = Story(run)
    assert story.decide() == ['marker genflow.seed {"seed":"seed"}', 'activity 1.1 Echo [[],{}]']
    story.completed(1)
    assert len(story.decide()) == 1
    one, uuid, other, next_uuid = story.result
    assert len({one, other}) == 2
    assert UUID(uuid).version == UUID(next_uuid).version == 4
    assert uuid != next_uuid


def test_the_seed_of_the_history_counts_and_not_the_workers():
    def run(self):
        found = self.random.random()
        yield self.echo()
        return [found, self.random.random()]

    story = Story(run)
    story.decide()
    story.completed(1)
    other = Execution(story.spec, seed='another')
    story.start()
    answer = other.advance(story.events)
    assert answer.all == story.answer.all
    other.close()


def test_uuids_do_not_disturb_random_numbers():
    def with_uuid(self):
        self.uuid4()
        return self.random.random()

    def without(self):
        return self.random.random()

    results = []
    for run in (with_uuid, without):
        story = Story(run)
        story.decide()
        results.append(story.result)
    assert results[0] == results[1]


def test_another_seed_is_another_chance():
    results = set()
    for seed in ('a', 'b'):
        story = Story(lambda self: self.random.random(), seed=seed)
        story.decide()
        results.add(story.result)
    assert len(results) == 2


def test_a_later_first_use_records_the_seed_then():
    def run(self):
        yield self.echo()
        return self.random.randint(1, 6)

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed(1)
    assert story.decide()[0] == 'marker genflow.seed {"seed":"seed"}'


# status and log


def test_set_status_shows_in_the_context_of_that_decision_only():
    def run(self):
        self.set_status({'step': 1})
        self.set_status({'step': 2})
        yield self.echo()
        yield self.other()

    story = Story(run)
    story.decide()
    assert decode(story.answer.context) == {'step': 2}
    story.completed(1)
    story.decide()
    assert story.answer.context is None


def test_a_status_that_is_too_long_raises():
    def run(self):
        try:
            self.set_status('x' * 32_767)
        except PayloadTooLarge:
            return 'caught'

    assert Story(run).decide() == ['complete "caught"']


def test_the_logger_is_silent_in_replay(caplog):
    def run(self):
        self.logger.info('first')
        yield self.echo()
        self.logger.info('second')
        yield self.other()

    caplog.set_level(logging.INFO)
    story = Story(run)
    story.decide()
    assert [record.message for record in caplog.records] == ['first', 'first']  # kept and cold, both live
    caplog.clear()
    story.completed(1)
    story.decide()
    assert [record.message for record in caplog.records] == ['second', 'second']
    assert caplog.records[0].workflow_id == 'desk-1'
    assert caplog.records[0].name == 'genflow.workflow.Desk'


def test_sleep_takes_whole_seconds_rounded_up():
    def run(self):
        yield [self.sleep(0), self.sleep(0.2), self.sleep(59.001), self.sleep(31_536_000)]

    assert Story(run).decide() == ['timer 1 0s', 'timer 2 1s', 'timer 3 60s', 'timer 4 31536000s']


@pytest.mark.parametrize('length', [-1, 31_536_001, float('inf'), float('nan'), None, True, '5', timedelta(seconds=-5)])
def test_sleep_refuses_what_no_timer_can_be(length):
    def run(self):
        yield self.sleep(length)

    (line,) = Story(run).decide()
    assert line.startswith('fail DefinitionError')
