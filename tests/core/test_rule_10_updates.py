"""Rule 10: updates are signals that begin a handler and are answered by a marker."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

import pytest

from genflow import DefinitionError, Signal, Steps, Workflow, WorkflowStalled, update
from genflow.core.model import events

from .story import Desk, Story


@dataclass(frozen=True)
class Node:
    name: str


class Cluster(Desk):
    """Hands out nodes."""

    fin = Signal()

    def run(self):
        self.free, self.log = ['n1', 'n2'], []
        yield self.fin.get()
        yield self.sleep(1)
        return self.log

    @update
    def assign(self, job: str) -> Steps[str]:
        node = self.free.pop(0)
        self.log.append(f'{job} to {node}')
        yield self.echo(node)
        return node

    @update
    def count(self):
        return len(self.free)

    @update
    def fail(self):
        raise KeyError('nothing')
        yield

    @update
    def large(self):
        return 'x' * 40_000

    @update
    def later(self):
        return {'echo': self.echo('later')}

    @update
    def typed(self, node: Node) -> Node:
        return Node(node.name.upper())

    @update
    def check(self, number):
        self.log.append(number)

    @check.validator
    def positive(self, number):
        if number < 0:
            raise ValueError(f'{number} is negative')


def ask(story, name, *args, key=None, **kwargs):
    key = key or f'u{sum(type(event) is events.Signaled for event in story.events) + 1}'
    story.signaled('genflow.update', {'id': key, 'name': name, 'input': json.dumps([args, kwargs])})
    return key


def replies(story):
    """The replies so far, by id."""
    found = {}
    for event in story.events:
        if type(event) is events.MarkerRecorded and event.name == 'genflow.reply':
            details = json.loads(event.details)
            found[details.pop('id')] = details
    return found


def begun(cls=Cluster, *args, **given):
    story = Story(cls, *args, **given)
    story.decide()
    return story


def finish(story):
    story.signaled('fin')
    story.decide()
    (timer,) = [item for item in story.open.values() if item.kind == 'timer']
    story.fired(timer)
    story.decide()
    return story


def test_a_generator_is_driven_as_a_branch_and_its_result_is_the_reply():
    story = begun()
    key = ask(story, 'assign', 'job')
    assert story.decide() == ['activity 1.1 Echo [["n1"],{}]']
    assert replies(story) == {}
    story.completed(1)
    story.decide()
    assert replies(story) == {key: {'result': '"n1"'}}
    assert finish(story).result == ['job to n1']


def test_a_plain_method_is_answered_at_once():
    story = begun()
    key = ask(story, 'count')
    story.decide()
    assert replies(story) == {key: {'result': '2'}}


def test_tasks_in_what_a_plain_method_returns_are_waited_for():
    story = begun()
    key = ask(story, 'later')
    story.decide()
    story.completed(1, 'done')
    story.decide()
    assert replies(story) == {key: {'result': '{"echo":"done"}'}}


def test_arguments_and_results_are_made_by_the_hints():
    pytest.importorskip('cattrs')
    story = begun()
    key = ask(story, 'typed', {'name': 'a'})
    story.decide()
    assert replies(story) == {key: {'result': '{"name":"A"}'}}


@pytest.mark.parametrize(
    ('name', 'args', 'reason'),
    [
        ('fail', (), "KeyError: 'nothing'"),
        ('large', (), 'PayloadTooLarge: the result of the update'),
        ('assing', (), "AttributeError: Cluster has no update 'assing'; it has assign, check"),
        ('run', (), "AttributeError: Cluster has no update 'run'"),
        ('count', (1,), 'TypeError: '),
    ],
)
def test_a_failure_is_a_reply_and_no_failure_of_the_workflow(name, args, reason):
    story = begun()
    key = ask(story, name, *args)
    story.decide()
    assert replies(story)[key]['reason'].startswith(reason)
    assert finish(story).result == []


def test_an_id_is_taken_once():
    story = begun()
    for _ in range(2):
        ask(story, 'assign', 'job', key='same')
    story.decide()
    ask(story, 'assign', 'job', key='same')
    story.decide()
    assert story.is_open('1.1')
    assert not story.is_open('2.1')
    story.completed(1)
    story.decide()
    assert replies(story) == {'same': {'result': '"n1"'}}
    assert finish(story).result == ['job to n1']


def test_a_handler_is_begun_at_its_own_place_in_the_events():
    class Ordered(Cluster):
        def run(self):
            self.free, self.log = ['n1', 'n2'], []
            yield self.echo()
            self.log.append('echo')
            yield self.fin.get()
            yield self.sleep(1)
            return self.log

    story = begun(Ordered)
    ask(story, 'check', 1)
    story.completed(1)
    ask(story, 'check', 2)
    story.decide()
    assert finish(story).result == [1, 'echo', 2]


def test_a_handler_has_neither_options_nor_shields_of_the_branch_that_runs():
    class Optioned(Cluster):
        def run(self):
            self.free, self.log = ['n1'], []
            with self.options(task_list='special'), self.shield():
                yield self.fin.get()

    story = begun(Optioned)
    ask(story, 'assign', 'job')
    story.start()
    assert [decision.task_list for decision in story.answer.all] == [None]


def test_a_validator_refuses_and_its_refusal_is_recorded_in_the_same_decision():
    story = begun()
    refused, taken = ask(story, 'check', -1), ask(story, 'check', 2)
    other = ask(story, 'check', -3)
    story.decide()
    (marker,) = [event for event in story.events if getattr(event, 'name', '') == 'genflow.refused']
    assert json.loads(marker.details) == {
        'updates': {refused: 'ValueError: -1 is negative', other: 'ValueError: -3 is negative'}
    }
    assert replies(story) == {taken: {'result': 'null'}}
    assert finish(story).result == [2]


def test_a_replay_asks_no_validator():
    """An update that was taken stays taken, though the validator has become stricter, and the other way round."""

    class Stricter(Cluster):
        @update
        def check(self, number):
            self.log.append(number)

        @check.validator
        def positive(self, number):
            raise AssertionError('asked at replay')

    story = begun()
    ask(story, 'check', 5)
    ask(story, 'check', -5)
    story.decide()
    finish(story)
    other = Story(Stricter)
    execution = other.execution()
    execution.advance(story.events)
    assert execution.closed
    execution.close()


def test_a_validator_may_only_read():
    class Wrong(Cluster):
        @update
        def check(self):
            return 1

        @check.validator
        def asks(self):
            self.echo()

    story = begun(Wrong)
    ask(story, 'check')
    story.decide()
    assert 'the validator asks() uses' in story.events[-1].details


def test_many_refusals_take_several_markers():
    story = begun()
    ids = [ask(story, 'check', -1, key='long' * 60 + str(number)) for number in range(200)]
    story.decide()
    markers = [json.loads(event.details) for event in story.events if getattr(event, 'name', '') == 'genflow.refused']
    assert len(markers) > 1
    assert [key for marker in markers for key in marker['updates']] == ids


def test_replies_wait_for_the_next_response_as_calls_do():
    story = begun()
    ids = [ask(story, 'count') for _ in range(7)]
    story.decide(limit=3)
    assert list(replies(story)) == ids[:3]
    (wake,) = [item for item in story.open.values() if item.key.startswith('wake')]
    story.fired(wake)
    story.decide()
    assert list(replies(story)) == ids


def test_a_workflow_that_waits_for_an_update_is_not_stalled():
    class Waits(Workflow):
        def run(self):
            self.done = False
            yield self.until(lambda: self.done)
            return 'done'

        @update
        def finish(self):
            self.done = True

    story = Story(Waits)
    assert story.decide() == []
    ask(story, 'finish')
    story.decide()
    assert story.result == 'done'


def test_a_workflow_whose_run_has_ended_is_stalled_all_the_same():
    class Lost(Workflow):
        def run(self):
            self.spawn(self.wait())
            return
            yield

        def wait(self):
            yield self.future()

        @update
        def nothing(self):
            pass

    with pytest.raises(WorkflowStalled):
        Story(Lost).decide()


def test_what_comes_when_run_has_ended_is_answered_with_a_failure():
    class Ended(Cluster):
        def run(self):
            self.echo()
            return 1
            yield

    story = begun(Ended)
    key = ask(story, 'count')
    story.decide()
    assert replies(story)[key]['reason'] == 'DefinitionError: Ended had ended when the update came'


def test_a_close_carries_no_reply():
    class Once(Cluster):
        def run(self):
            self.free, self.done = [], False
            yield self.until(lambda: self.done)
            return 'over'

        @update
        def close(self):
            self.done = True

    story = begun(Once)
    ask(story, 'close')
    assert story.decide() == ['complete "over"']
    assert replies(story) == {}


def test_a_restart_waits_until_replies_are_sent():
    class Full(Cluster):
        def run(self, left=1):
            self.free, self.left = [], left
            yield self.until(lambda: self.left == 0)
            return self.restart()

        @update
        def use(self):
            self.left -= 1
            return self.left

        @update
        def refuse(self):
            self.left -= 1
            raise ValueError('no')

    for name, reply in (('use', {'result': '0'}), ('refuse', {'reason': 'ValueError: no'})):
        story = begun(Full)
        key = ask(story, name)
        assert story.decide()[-1] == 'timer wake-7 0s'
        assert reply.items() <= replies(story)[key].items()
        assert story.closed is None
        story.fired(next(item for item in story.open.values() if item.kind == 'timer'))
        story.decide()
        assert story.closed.how == 'continued'


def test_a_restart_carries_what_comes_after_it_and_the_next_run_takes_it_first():
    class Again(Cluster):
        def run(self, round=0):
            self.free, self.log, self.round = [], [f'run {round}'], round
            if round == 0:
                self.echo()
                return self.restart(1)
            yield self.fin.get()
            yield self.sleep(1)
            return self.log

    story = begun(Again)
    key = ask(story, 'check', 7)
    assert story.decide() == []
    story.completed(1)
    story.decide()
    assert story.closed.how == 'continued'
    decision = story.answers[-1].all[-1]
    following = Story(Again, input=decision.input)
    following.decide()
    assert replies(following) == {key: {'result': 'null'}}
    assert finish(following).result == ['run 1', 7]


class Rotated(Cluster):
    """Restarts, or returns, as soon as an update says so."""

    def run(self, restarts=True):
        self.free, self.log, self.over = ['n1'], [], False
        yield self.until(lambda: self.over)
        return self.restart(False) if restarts else 'over'

    @update
    def rotate(self):
        self.over = True
        return 'rotated'


def fire_wake(story):
    for wake in [item for item in story.open.values() if item.key.startswith('wake')]:
        story.fired(wake)


def test_a_restart_waits_until_the_replies_of_its_decision_are_sent():
    story = begun(Rotated)
    asked = [ask(story, 'count'), ask(story, 'rotate')]
    story.decide()
    assert list(replies(story)) == asked
    assert story.closed is None
    fire_wake(story)
    story.decide()
    assert story.closed.how == 'continued'


def test_a_completion_waits_for_the_replies_that_an_earlier_decision_had_no_room_for():
    story = begun(Rotated, False)
    asked = [ask(story, 'count') for _ in range(5)]
    story.decide(limit=3)
    last = ask(story, 'rotate')
    story.decide()
    assert list(replies(story)) == [*asked, last]
    fire_wake(story)
    assert story.decide() == ['complete "over"']


def test_a_restart_that_is_refused_takes_the_update_that_came_between_along():
    story = begun(Rotated)
    ask(story, 'rotate')
    story.decide()
    fire_wake(story)
    story.start()
    late = ask(story, 'count')
    story.respond()
    assert story.closed is None
    story.decide()
    assert story.closed.how == 'continued'
    following = Story(Rotated, input=story.closed.result)
    following.decide()
    assert replies(following) == {late: {'result': '1'}}


def test_what_is_no_update_is_dropped_and_reported(caplog):
    story = begun()
    with caplog.at_level(logging.WARNING, 'genflow'):
        story.signaled('genflow.update', ['secret'])
        story.decide()
    assert 'is not an update, and is dropped' in caplog.text
    assert 'secret' not in caplog.text


def test_a_cancelled_handler_is_answered_with_that():
    class Slow(Cluster):
        def run(self):
            self.free = []
            try:
                yield self.fin.get()
            finally:
                yield self.echo('clean-up')
                yield self.sleep(1)

        @update
        def wait(self):
            yield self.sleep(100)

    story = begun(Slow)
    key = ask(story, 'wait')
    story.decide()
    story.cancel_requested()
    story.decide()
    assert replies(story)[key]['reason'].startswith('TaskCanceled')


def test_a_reply_that_the_code_gives_no_more_is_a_mismatch():
    class Other(Cluster):
        @update
        def count(self):
            yield self.sleep(5)

    story = begun()
    ask(story, 'count')
    story.decide()
    finish(story)
    execution = Story(Other).execution()
    with pytest.raises(Exception, match='does not match the history'):
        execution.advance(story.events)
    execution.close()


def test_what_cannot_be_an_update_is_refused():
    async def wrong(self):
        pass

    def yields(self):
        yield

    with pytest.raises(DefinitionError, match='async def'):
        update(wrong)
    with pytest.raises(DefinitionError, match='yields or is declared'):
        update(lambda self: None).validator(yields)
