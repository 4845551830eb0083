"""Rule 6: waiting for a state of the workflow, and for what one branch tells another."""

from __future__ import annotations

from datetime import timedelta

import pytest

from genflow import DefinitionError, TaskCanceled, TaskFailed, TaskTimeout, WorkflowStalled, YieldError, all_of, any_of
from genflow.core.authoring.workflow import Workflow

from .played import done, played
from .story import Desk, Story


def test_a_branch_continues_when_the_state_is_there():
    def work(self):
        self.count += 1
        yield self.echo(self.count)
        self.count -= 1

    def run(self):
        self.count = 0
        self.spawn(work(self))
        self.spawn(work(self))
        yield self.sleep(0)
        yield self.until(lambda: self.count == 0)
        return 'all done'

    story = Story(run)
    story.decide()
    story.fired(1)
    story.decide()
    story.completed(2)
    assert story.decide() == []
    story.completed(3)
    assert story.decide() == ['complete "all done"']


def test_what_is_true_already_is_not_waited_for():
    def run(self):
        yield self.until(lambda: True)
        return 1

    assert played(run).result == 1


def test_the_waiters_are_resumed_in_order_and_only_while_the_state_holds():
    """A permit gate: each takes the permit that the one before it gave back."""

    def user(self, name):
        yield self.until(lambda: self.free > 0)
        self.free -= 1
        self.seen.append([name, self.free])
        yield self.echo(name)
        self.free += 1

    def run(self):
        self.free, self.seen = 1, []
        yield [user(self, name) for name in 'abc']
        return self.seen

    story = played(run, done(1), done(2), done(3))
    assert story.result == [['a', 0], ['b', 0], ['c', 0]]


def test_a_signal_wakes_who_waits_for_a_number_of_them():
    def run(self):
        yield self.until(lambda: len(self.go) >= 2)
        return self.go.drain()

    story = Story(run)
    story.decide()
    story.signaled('go', 1)
    assert story.decide() == []
    story.signaled('go', 2)
    assert story.decide() == ['complete [1,2]']


def test_time_wakes_nobody_and_a_time_out_does():
    def run(self):
        start = self.now()
        try:
            yield self.until(lambda: (self.now() - start).total_seconds() > 10**9).timeout(5)
        except TaskTimeout as error:
            return type(error).__name__

    story = Story(run)
    assert story.decide() == ['timer 1 5s']
    story.fired(1)
    assert story.decide() == ['complete "TaskTimeout"']


def test_an_event_in_which_no_code_runs_has_nothing_looked_at():
    def run(self):
        self.looks = 0
        self.child(1)
        self.echo(2)
        yield self.until(self.look)
        return self.looks

    def look(self):
        self.looks += 1  # a predicate reads only; this one counts for the test
        return self.go or self.now() > self.info.started_at + timedelta(seconds=12)

    story = Story(run, members={'look': look})
    story.decide()
    story.child_started(1)
    assert story.decide() == []
    story.completed(2)
    assert story.decide() == []
    story.completed(1)
    assert story.decide() == []
    story.signaled('go')
    assert story.decide() == ['complete 2']


def test_a_signal_that_is_not_read_has_it_looked_at():
    def run(self):
        yield self.until(lambda: (self.now() - self.info.started_at).total_seconds() > 8)
        return 'late'

    story = Story(run)
    story.decide()
    story.signaled('nobody reads it')
    assert story.decide() == []
    story.signaled('nobody reads it')
    assert story.decide() == ['complete "late"']


def test_what_the_predicate_raises_is_the_failure():
    def run(self):
        try:
            yield self.until(lambda: self.nothing)
        except AttributeError:
            return 'caught'

    assert played(run).result == 'caught'


@pytest.mark.parametrize(
    'ask',
    [
        lambda self: self.echo(),
        lambda self: self.sleep(1),
        lambda self: self.random,
        lambda self: self.uuid4(),
        lambda self: self.patched('x'),
        lambda self: self.side_effect(int),
        lambda self: self.go.drain(),
        lambda self: self.go.get(),
        lambda self: self.set_status(1),
        lambda self: self.future(),
        lambda self: self.until(bool),
        lambda self: self.done.set_result(1),
        lambda self: self.spawn(branch(self)),
    ],
)
def test_a_predicate_may_only_read(ask):
    def run(self):
        self.done = self.future()
        try:
            yield self.until(lambda: ask(self))
        except YieldError as error:
            return str(error)

    text = played(run).result
    assert text.startswith('the predicate of until() at ')
    assert text.endswith('it may only read the state of the workflow')


def branch(self):
    yield self.sleep(1)


def test_what_is_no_predicate_is_refused():
    def run(self):
        self.pending = []
        with pytest.raises(DefinitionError, match='was given True, which is not callable'):
            self.until(not self.pending)
        try:
            yield self.until(lambda: branch(self))
        except YieldError as error:
            return str(error)

    assert 'is a generator function, so it would always be true' in played(run).result


def test_it_is_evaluated_only_while_somebody_waits():
    def run(self):
        looks = []
        state = self.until(lambda: looks.append(1) or True)
        yield self.echo()
        before = len(looks)
        yield state
        return [before, len(looks) > 0]

    assert played(run, done(1)).result == [0, True]


def test_one_that_lost_a_race_is_not_evaluated_any_more():
    def run(self):
        looks = []
        for _ in range(3):
            yield any_of(self.until(lambda: looks.append(1)), self.echo())
        before = len(looks)
        yield self.echo()
        return len(looks) - before

    assert played(run, done(1), done(2), done(3), done(4)).result == 0


def test_one_that_lost_a_race_is_looked_at_again_once_somebody_waits_for_it():
    def later(self):
        yield self.other()
        self.ready = True

    def run(self):
        self.ready = False
        ready = self.until(lambda: self.ready)
        yield any_of(ready, self.echo())
        yield self.echo()
        self.spawn(later(self))
        yield ready
        return 'ready'

    assert played(run, done(1), done(2), done(3)).result == 'ready'


def test_combinators_take_it():
    def later(self):
        yield self.echo()
        self.ready = True
        yield self.echo()

    def run(self):
        self.ready = False
        self.spawn(later(self))
        values = yield all_of(self.until(lambda: self.ready), self.until(lambda: not self.go))
        return values

    story = played(run, done(1), done(2))
    assert story.result == [None, None]


def test_one_that_nobody_waits_for_is_reported(caplog):
    def run(self):
        self.until(bool)
        return
        yield

    played(run)
    assert 'nothing waited for the until() at' in caplog.text


class Deaf(Workflow):
    """Has no signals."""

    def run(self):
        yield self.until(lambda: False)


def test_a_state_that_nothing_can_bring_is_a_stall():
    story = Story(Deaf)
    with pytest.raises(WorkflowStalled, match=r'waiting for until\(\) at .*test_rule_06_until.py'):
        story.decide()


def test_two_that_wait_for_each_others_state_are_a_stall():
    class Silent(Deaf):
        def one(self):
            yield self.until(lambda: self.two)

        def run(self):
            self.two = False
            yield self.one()
            self.two = True

    with pytest.raises(WorkflowStalled):
        Story(Silent).decide()


# futures


def test_one_branch_tells_another():
    def work(self):
        value = yield self.echo()
        self.found.set_result(value)
        yield self.echo(value)

    def run(self):
        self.found = self.future()
        self.spawn(work(self))
        return (yield self.found)

    story = Story(run)
    story.decide()
    story.completed(1, 'x')
    story.decide()
    story.completed(2)
    story.decide()
    assert story.result == 'x'


def test_an_exception_is_raised_where_it_is_waited_for():
    def run(self):
        found = self.future()
        found.set_exception(KeyError('gone'))
        try:
            yield found
        except KeyError as error:
            return [error.args[0], found.done(), type(found.exception()).__name__]

    assert played(run).result == ['gone', True, 'KeyError']


def test_an_exception_that_nobody_retrieves_is_no_failure():
    def run(self):
        self.future().set_exception(ValueError('unseen'))
        return 1
        yield

    assert played(run).result == 1


def test_it_is_settled_once():
    def run(self):
        found = self.future()
        found.set_result(1)
        try:
            found.set_exception(ValueError())
        except YieldError as error:
            return [str(error), (yield found)]

    assert played(run).result == ['future is already settled; check done() first if several branches may settle it', 1]


def test_a_cancelled_one_receives_nothing():
    def run(self):
        found = self.future()
        found.cancel()
        found.set_result(1)
        try:
            yield found
        except TaskCanceled:
            return 'canceled'

    assert played(run).result == 'canceled'


def test_only_an_exception_is_one():
    def run(self):
        self.future().set_exception(ValueError)
        yield

    story = Story(run)
    story.decide()
    assert story.failure.reason.startswith("TypeError: set_exception() was given <class 'ValueError'>")


def test_a_generator_that_is_being_closed_settles_nothing():
    def run(self):
        self.found = self.future()
        try:
            yield self.echo()
        finally:
            self.found.set_result('closed')

    story = Story(run)
    story.decide()
    found = story.sticky.workflow.found
    story.sticky.close()
    assert not found.done()


def test_one_that_is_never_settled_is_a_stall():
    def run(self):
        yield self.future()

    with pytest.raises(WorkflowStalled, match='waiting for future'):
        Story(run).decide()


def test_a_time_out_gives_up_waiting():
    def run(self):
        found = self.future()
        try:
            yield found.timeout(5)
        except TaskFailed as error:
            found.set_result('too late')
            return type(error).__name__

    story = Story(run)
    story.decide()
    story.fired(1)
    story.decide()
    assert story.result == 'TaskTimeout'


def test_by_hand_a_future_is_a_plain_box():
    class Plain(Desk):
        def run(self):
            return (yield self.future())

    workflow = Plain()
    found = workflow.future()
    found.set_result(3)
    assert found.result() == 3


@pytest.mark.parametrize('waiters', [1, 5])
def test_a_condition_is_asked_as_often_however_many_wait_for_it(waiters):
    asked = []

    def wait(self, condition):
        yield condition

    def run(self):
        condition = self.until(lambda: bool(asked.append(self.count)) or self.count == 2)
        for _ in range(waiters):
            self.spawn(wait(self, condition))
        for self.count in (1, 2):
            yield self.echo(self.count)
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    assert asked == [1, 1, 2, 1, 2], 'by the execution that is kept and by the one that replays, twice'
