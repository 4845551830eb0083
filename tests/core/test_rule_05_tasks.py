"""Rule 5: tasks are values."""

from __future__ import annotations

from genflow import (
    ActivityFailed,
    YieldError,
    all_of,
)

from .story import Story


def test_a_task_may_be_yielded_many_times():
    def run(self):
        task = self.echo()
        one = yield task
        two = yield task
        three = yield [task, task]
        return [one, two, three]

    story = Story(run)
    story.decide()
    story.completed(1, 'x')
    assert story.decide() == ['complete ["x","x",["x","x"]]']


def test_a_task_may_sit_in_many_combinators():
    def run(self):
        task = self.echo()
        both = all_of(task, self.other())
        again = all_of(task, both)
        return (yield [task, both, again])

    story = Story(run)
    story.decide()
    story.completed(1, 'a')
    story.completed(2, 'b')
    story.decide()
    assert story.result == ['a', ['a', 'b'], ['a', ['a', 'b']]]


def test_two_branches_may_wait_for_the_same_task():
    def run(self):
        task = self.echo()

        def branch(name):
            value = yield task
            return f'{name}{value}'

        return (yield [branch('l'), branch('r')])

    story = Story(run)
    story.decide()
    story.completed(1, 7)
    assert story.decide() == ['complete ["l7","r7"]']


# as arguments


def test_a_task_is_an_argument_and_waits_for_nobodys_yield():
    def run(self):
        first = self.echo('in')
        second = self.other(first)
        return (yield second)

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [["in"],{}]']
    story.completed(1, 'between')
    assert story.decide() == ['activity 2.1 Other [["between"],{}]']
    story.completed(2, 'out')
    assert story.decide() == ['complete "out"']


def test_a_waiting_call_keeps_the_number_of_its_place():
    def run(self):
        a = self.echo('a')
        b = self.other(a)
        c = self.echo('c')
        return (yield [a, b, c])

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [["a"],{}]', 'activity 3.1 Echo [["c"],{}]']
    story.completed(1, 'A')
    assert story.decide() == ['activity 2.1 Other [["A"],{}]']


def test_tasks_nest_in_lists_tuples_dicts_and_keywords():
    def run(self):
        a, b = self.echo(), self.echo()
        yield self.other([a, {'k': b}], (a,), key=[b])

    story = Story(run)
    story.decide()
    story.completed(2, 'B')
    assert story.decide() == []
    story.completed(1, 'A')
    assert story.decide() == ['activity 3.1 Other [[["A",{"k":"B"}],["A"]],{"key":["B"]}]']


def test_an_argument_that_is_there_already_is_no_wait():
    def run(self):
        a = self.echo()
        yield a
        yield self.other(a)

    story = Story(run)
    story.decide()
    story.completed(1, 'A')
    assert story.decide() == ['activity 2.1 Other [["A"],{}]']


def test_an_arguments_failure_is_the_calls_failure():
    def run(self):
        try:
            yield self.other(self.echo())
        except ActivityFailed as error:
            return error.task.number

    story = Story(run)
    story.decide()
    story.failed(1)
    assert story.decide() == ['complete 1']


def test_a_chain_of_arguments_fails_as_a_whole():
    def run(self):
        yield self.other(self.other(self.other(self.echo())))

    story = Story(run)
    story.decide()
    story.failed(1, reason='deep')
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: deep']


def test_children_lambdas_and_signals_take_tasks_too():
    def run(self):
        a = self.echo()
        yield [self.child(a), self.shrink(a), self.external('w').signal('s', [a])]

    story = Story(run)
    story.decide()
    story.completed(1, 'A')
    assert story.decide() == [
        'child 2.1 Child [["A"],{}]',
        'lambda 3.1 shrink "A"',
        'signal w s ["A"]',
    ]


def test_a_combinator_is_an_argument():
    def run(self):
        yield self.other(all_of(self.echo(), self.echo()))

    story = Story(run)
    story.decide()
    story.completed(1, 1)
    story.completed(2, 2)
    assert story.decide() == ['activity 3.1 Other [[[1,2]],{}]']


def test_a_signal_is_an_argument():
    def run(self):
        yield self.other(self.go.get())

    story = Story(run)
    assert story.decide() == []
    story.signaled('go', 'ahead')
    assert story.decide() == ['activity 1.1 Other [["ahead"],{}]']


def test_signals_as_arguments_are_read_in_the_order_of_the_arguments():
    def run(self):
        yield self.other(self.go.get(), [self.go.get()], key=self.go.get())

    story = Story(run)
    story.decide()
    for value in 'abc':
        story.signaled('go', value)
    assert story.decide() == ['activity 1.1 Other [["a",["b"]],{"key":"c"}]']


def test_a_serializer_that_fails_on_a_resolved_argument_is_the_calls_failure():
    def run(self):
        try:
            yield self.other(self.echo(), big='x' * 32_760)
        except ValueError as error:
            return type(error).__name__

    story = Story(run)
    story.decide()
    story.completed(1, 'long enough')
    assert story.decide() == ['complete "PayloadTooLarge"']


# asked


def test_an_open_task_has_no_result():
    def run(self):
        task = self.echo()
        asked = []
        for ask in (task.result, task.exception):
            try:
                ask()
            except YieldError as error:
                asked.append('yield it' in str(error))
        return [task.done(), asked, (yield task), task.done(), task.result(), task.exception()]

    story = Story(run)
    story.decide()
    story.completed(1, 'x')
    assert story.decide() == ['complete [false,[true,true],"x",true,"x",null]']


def test_a_failed_task_raises_at_result_and_gives_its_exception():
    def run(self):
        task = self.echo()
        yield self.other()
        try:
            task.result()
        except ActivityFailed as error:
            return error is task.exception()

    story = Story(run)
    story.decide()
    story.failed(1)
    story.completed(2)
    assert story.decide() == ['complete true']
