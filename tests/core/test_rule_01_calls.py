"""Rule 1: a call schedules."""

from __future__ import annotations

import threading

import pytest

from genflow import ActivityProxy, DefinitionError, Signal, Workflow, WorkflowProxy, YieldError, query, update

from .story import Story


def test_a_call_schedules_before_it_is_yielded():
    def run(self):
        a = self.echo(1)
        b = self.echo(2)
        x = yield a
        y = yield b
        return [x, y]

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [[1],{}]', 'activity 2.1 Echo [[2],{}]']
    story.completed(2, 'b')
    assert story.decide() == []
    story.completed(1, 'a')
    assert story.decide() == ['complete ["a","b"]']


def test_a_call_that_is_not_yielded_is_scheduled():
    def run(self):
        self.echo(1)
        yield self.echo(2)

    assert Story(run).decide() == ['activity 1.1 Echo [[1],{}]', 'activity 2.1 Echo [[2],{}]']


def test_a_plain_run_calls_too():
    def run(self, value):
        self.echo(value)
        return 'called'

    story = Story(run, 7)
    assert story.decide() == ['activity 1.1 Echo [[7],{}]']
    story.completed(1)
    assert story.decide() == ['complete "called"']


def test_a_plain_run_that_calls_nothing_completes_at_once():
    assert Story(lambda self, value: value + 1, 7).decide() == ['complete 8']


def test_a_generator_that_yields_nothing_completes_at_once():
    def run(self):
        return 3
        yield

    assert Story(run).decide() == ['complete 3']


def test_numbers_follow_the_order_of_the_calls_whatever_their_kind():
    def run(self):
        yield [self.sleep(5), self.child(), self.echo(), self.shrink({}), self.external('w').signal('s'), self.other()]

    assert Story(run).decide() == [
        'timer 1 5s',
        'child 2.1 Child [[],{}]',
        'activity 3.1 Echo [[],{}]',
        'lambda 4.1 shrink {}',
        'signal w s null',
        'activity 6.1 Other [[],{}]',
    ]


def test_arguments_are_serialized_when_the_call_is_made():
    def run(self):
        values = [1]
        task = self.echo(values)
        values.append(2)
        yield task

    assert Story(run).decide() == ['activity 1.1 Echo [[[1]],{}]']


def test_keyword_arguments_travel():
    def run(self):
        yield self.echo(1, key='x')

    assert Story(run).decide() == ['activity 1.1 Echo [[1],{"key":"x"}]']


def test_an_argument_that_is_no_json_raises_at_the_call():
    def run(self):
        try:
            self.echo(object())
        except TypeError:
            return 'caught'
        yield self.echo(1)

    assert Story(run).decide() == ['complete "caught"']


def test_an_input_that_is_too_long_names_the_argument():
    def run(self):
        yield self.echo('short', big='x' * 32_768)

    story = Story(run)
    (line,) = story.decide()
    assert line.startswith('fail PayloadTooLarge')
    assert "argument 'big'" in story.failure.traceback
    assert '32,768' in story.failure.traceback


def test_an_input_of_exactly_the_limit_goes():
    def run(self):
        yield self.echo('x' * (32_768 - len('[[""],{}]')))

    story = Story(run)
    (line,) = story.decide()
    assert line.startswith('activity 1.1 Echo')
    assert len(story.answer.all[0].input) == 32_768


@pytest.mark.parametrize('name', ['run', 'sleep', 'info', 'options', 'map', 'random', 'restart', 'now', 'logger'])
@pytest.mark.parametrize(
    'member', [ActivityProxy('A', '1'), WorkflowProxy('W', '1'), Signal()], ids=['activity', 'child', 'signal']
)
def test_a_proxy_or_signal_with_the_name_of_a_public_member_is_refused(name, member):
    with pytest.raises(DefinitionError, match=f'{name}.*member of every'):
        type('Wrong', (Workflow,), {name: member})


def test_the_same_attribute_name_of_ones_own_is_fine():
    class Fine(Workflow):
        charge = ActivityProxy('Charge', '1')

        def run(self):
            yield self.charge()

    assert Story(Fine).decide() == ['activity 1.1 Charge [[],{}]']


def test_an_inherited_proxy_is_called():
    class Base(Workflow):
        charge = ActivityProxy('Charge', '1')

    class Order(Base):
        def run(self):
            yield self.charge()

    assert Story(Order).decide() == ['activity 1.1 Charge [[],{}]']


def test_each_execution_has_its_own_workflow_object():
    def run(self):
        self.seen = getattr(self, 'seen', 0) + 1
        yield self.echo()
        return self.seen

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete 1']


def test_run_with_arguments_that_do_not_fit_fails_the_execution():
    def run(self, one):
        yield self.echo(one)

    story = Story(run, 1, 2)
    (line,) = story.decide()
    assert line.startswith('fail TypeError')


def test_an_input_that_is_no_json_fails_the_execution_and_shows_it():
    def run(self, one):
        yield self.echo(one)

    story = Story(run, input='{oops')
    (line,) = story.decide()
    assert line.startswith('fail ValueError')
    assert '{oops' in line


def test_an_execution_without_input_runs_without_arguments():
    assert Story(lambda self: 'ran', input=None).decide() == ['complete "ran"']


FROM_A_THREAD = {
    'a call': lambda self, task: self.echo(),
    'a timer': lambda self, task: self.sleep(1),
    'a branch': lambda self, task: self.spawn(waiting(task)),
    'a map': lambda self, task: self.map(self.echo, [1]),
    'a signal': lambda self, task: self.go.get(),
    'signals': lambda self, task: self.go.drain(),
    'a signal to another': lambda self, task: self.external('w').signal('s'),
    'a condition': lambda self, task: self.until(lambda: True),
    'a future': lambda self, task: self.future(),
    'a cancellation': lambda self, task: task.cancel(),
    'a time limit': lambda self, task: task.timeout(1),
    'chance': lambda self, task: self.random.random(),
    'a UUID': lambda self, task: self.uuid4(),
    'a patch': lambda self, task: self.patched('change'),
    'the end of a patch': lambda self, task: self.deprecate_patch('change'),
    'a side effect': lambda self, task: self.side_effect(lambda: 1),
    'a status': lambda self, task: self.set_status('x'),
    'a restart': lambda self, task: self.restart(),
}
"""What a workflow asks for, and another thread may not."""


def waiting(task):
    yield task


@pytest.mark.parametrize('what', FROM_A_THREAD)
def test_another_thread_may_not_use_the_workflow(what):
    def run(self):
        task, errors = self.echo(), []

        def ask():
            try:
                done = FROM_A_THREAD[what](self, task)
            except YieldError as error:
                errors.append(str(error))
            else:
                errors.append(f'it gave {done!r}')

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        yield task
        return errors

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed(1)
    story.decide()
    (error,) = story.result
    assert 'a workflow runs on one thread' in error


@pytest.mark.parametrize('mark', [query, update])
def test_a_query_and_an_update_have_no_name_of_a_member(mark):
    def sleep(self):
        return 1

    with pytest.raises(DefinitionError, match=rf'Wrong.sleep is an? {mark.__name__}, but .sleep. is a member'):
        type('Wrong', (Workflow,), {'sleep': mark(sleep)})
