"""Rule 3: what may be yielded, and what the wrong thing says."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from genflow import YieldError, all_of, any_of, first_of

from .story import Desk, Story


class Pair(NamedTuple):
    left: Any
    right: Any


def settled(run, *values, **given):
    """The result of a run whose activities complete with these values."""
    story = Story(run, **given)
    story.decide()
    for number, value in enumerate(values, 1):
        story.completed(number, value)
    story.decide()
    return story.result


@pytest.mark.parametrize(
    ('make', 'expected'),
    [
        (lambda s: [s.echo(), s.echo()], ['a', 'b']),
        (lambda s: {'x': s.echo(), 'y': s.echo()}, {'x': 'a', 'y': 'b'}),
        (lambda s: [s.echo(), [s.echo()]], ['a', ['b']]),
        (lambda s: {'x': [s.echo(), {'y': s.echo()}]}, {'x': ['a', {'y': 'b'}]}),
        (lambda s: [[s.echo()], [], s.echo()], [['a'], [], 'b']),
    ],
)
def test_a_shape_of_tasks_gives_the_same_shape_of_results(make, expected):
    def run(self):
        return (yield make(self))

    assert settled(run, 'a', 'b') == expected


def test_a_tuple_gives_a_tuple():
    def run(self):
        found = yield self.echo(), self.echo()
        assert found == ('a', 'b')
        return type(found).__name__

    assert settled(run, 'a', 'b') == 'tuple'


def test_a_named_tuple_keeps_its_names():
    def run(self):
        found = yield Pair(self.echo(), self.echo())
        return [found.left, found.right]

    assert settled(run, 'a', 'b') == ['a', 'b']


@pytest.mark.parametrize(('make', 'expected'), [(list, []), (dict, {})])
def test_nothing_to_wait_for_continues_at_once(make, expected):
    def run(self):
        return (yield make())

    story = Story(run)
    story.decide()
    assert story.result == expected


def test_a_list_as_the_first_yield_waits_for_all():
    def run(self):
        a, b = yield [self.echo(), self.echo()]
        return a + b

    story = Story(run)
    story.decide()
    story.completed(2, 'b')
    assert story.decide() == []
    story.completed(1, 'a')
    assert story.decide() == ['complete "ab"']


def test_a_generator_is_a_branch_and_gives_what_it_returns():
    def run(self):
        def branch(x):
            y = yield self.echo(x)
            return y * 2

        return (yield branch(1))

    assert settled(run, 4) == 8


def test_branches_run_side_by_side():
    def run(self):
        def branch(x):
            y = yield self.echo(x)
            z = yield self.other(y)
            return z

        return (yield [branch(x) for x in 'ab'])

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [["a"],{}]', 'activity 2.1 Echo [["b"],{}]']
    story.completed(2, 'B')
    assert story.decide() == ['activity 3.1 Other [["B"],{}]']
    story.completed(1, 'A')
    assert story.decide() == ['activity 4.1 Other [["A"],{}]']
    story.completed(4, 'AA')
    story.completed(3, 'BB')
    assert story.decide() == ['complete ["AA","BB"]']


def test_a_branch_may_be_yielded_more_than_once():
    def run(self):
        def branch():
            return (yield self.echo())

        generator = branch()
        first = yield generator
        return [first]

    assert settled(run, 'a') == ['a']


def test_the_failure_of_a_branch_is_raised_at_its_yield():
    def run(self):
        def branch():
            yield self.echo()
            raise KeyError('inner')

        try:
            yield [branch(), self.stop.get()]
        except KeyError as error:
            return error.args[0]

    assert settled(run, 1) == 'inner'


def test_yield_from_a_task_gives_its_result():
    def run(self):
        return (yield from self.echo())

    assert settled(run, 'typed') == 'typed'


def test_yield_from_a_generator_delegates():
    def run(self):
        def part(x):
            y = yield self.echo(x)
            return y + 1

        one = yield from part(1)
        return one

    assert settled(run, 4) == 5


def test_yield_from_a_combinator_gives_its_result():
    def run(self):
        return (yield from all_of(self.echo(), self.echo()))

    assert settled(run, 1, 2) == [1, 2]


def test_spawn_starts_now_and_gives_a_task():
    def run(self):
        def branch():
            yield self.echo('branch')
            return 'spawned'

        task = self.spawn(branch())
        yield self.echo('main')
        return (yield task)

    story = Story(run)
    assert sorted(story.decide()) == ['activity 1.1 Echo [["main"],{}]', 'activity 2.1 Echo [["branch"],{}]']
    story.completed(1)
    assert story.decide() == []
    story.completed(2)
    assert story.decide() == ['complete "spawned"']


def test_spawn_of_something_else_is_a_yield_error():
    def run(self):
        self.spawn([self.echo()])
        yield self.echo()

    (line,) = Story(run).decide()
    assert line.startswith('fail YieldError')


def finished():
    if False:
        yield
    return 1


def exhausted():
    generator = finished()
    list(generator)
    return generator


WRONG = {
    'a generator expression': (lambda s: (s.echo(x) for x in 'ab'), 'list'),
    'a set': (lambda s: {1, 2}, 'list'),
    'a frozenset': (lambda s: frozenset(), 'list'),
    'None': (lambda s: None, r'\(yield task\) == x'),
    'a bool': (lambda s: True, r'\(yield task\) == x'),
    'a number': (lambda s: 5, 'plain value'),
    'text': (lambda s: 'ab', 'plain value'),
    'a proxy that was not called': (lambda s: s.echo, 'call it'),
    'a signal': (lambda s: s.go, r'`yield self.go.get\(\)`'),
    'a function': (lambda s: finished, 'call it'),
    'a generator that has ended': (lambda s: exhausted(), 'already finished'),
    'a list with a plain value in it': (lambda s: [s.echo(), 5], 'plain value'),
    'a dict with None in it': (lambda s: {'a': None}, r'\(yield task\) == x'),
}


@pytest.mark.parametrize('name', WRONG)
def test_anything_else_raises_at_the_users_own_line(name):
    make, hint = WRONG[name]

    def run(self):
        try:
            yield make(self)
        except YieldError as error:
            line = error.__traceback__.tb_lineno - run.__code__.co_firstlineno
            return [str(error), line]

    story = Story(run)
    story.decide()
    if story.closed is None:  # the calls in the wrong value were made all the same
        for item in list(story.open.values()):
            story.completed(item.key)
        story.decide()
    text, line = story.result
    assert line == 2
    assert re.search(hint, text), text


@pytest.mark.parametrize('shape', [list, tuple])
def test_yield_from_a_list_says_to_yield_the_list(shape):
    def run(self):
        try:
            yield from shape([self.echo(), self.sleep(1)])
        except YieldError as error:
            return [error.__traceback__.tb_lineno - run.__code__.co_firstlineno, str(error)]

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    line, text = story.result
    assert line == 2
    assert f'was given a {shape.__name__}' in text
    assert 'yield the list' in text


def test_yield_from_a_generator_expression_says_so_too():
    def run(self):
        return (yield from (self.echo(number) for number in range(2)))

    line = Story(run).decide()[-1]
    assert line.startswith('fail YieldError: `yield from` was given a generator expression')
    assert 'yield the list' in line


def test_yield_from_a_list_below_another_generator_is_found():
    def run(self):
        def below():
            return (yield from [self.sleep(1)])

        return (yield from below())

    (line,) = Story(run).decide()
    assert line.startswith('fail YieldError: `yield from` was given a list')


def test_the_same_mistake_at_a_later_yield():
    def run(self):
        yield self.echo()
        yield None

    story = Story(run)
    story.decide()
    story.completed(1)
    (line,) = story.decide()
    assert line.startswith('fail YieldError: a NoneType was yielded')
    assert 'yield None' in story.failure.traceback


def test_the_message_names_the_value():
    def run(self):
        yield {'odd', 'even', 'prime'}

    (line,) = Story(run).decide()
    assert "a set was yielded: {'even', 'odd', 'prime'}" in line  # sorted: a hash seed must not show


def test_the_message_shows_no_address():
    def run(self):
        yield exhausted()

    (line,) = Story(run).decide()
    assert '0x' not in line
    assert 'finished()' in line


def unpack(task):
    a, b = task
    return a, b


FOREIGN = {
    'yielded': lambda self, task: task,
    'in a list': lambda self, task: [self.echo(), task],
    'in a dict': lambda self, task: {'x': task},
    'in all_of': lambda self, task: all_of(task, failures='wait'),
    'in any_of': lambda self, task: any_of(task, self.sleep(1)),
    'in first_of': lambda self, task: first_of(a=task),
    'with a time-out': lambda self, task: task.timeout(1),
    'an argument': lambda self, task: self.echo(1, task),
    'a keyword': lambda self, task: self.echo(x=task),
    'deep in an argument': lambda self, task: self.echo([{'x': (task,)}]),
    'the value of a signal': lambda self, task: self.external('w').signal('s', task),
    'the argument of a child': lambda self, task: self.child(task),
}


@pytest.mark.parametrize('name', [*FOREIGN, 'returned', 'returned in a dict'])
@pytest.mark.parametrize('state', ['open', 'done', 'made by hand'])
def test_a_task_of_another_execution_is_refused_wherever_it_is_waited_for(name, state):
    """Its result is in another history: it was taken where it was there already, and waited for in vain where not."""
    kept = []

    def other(self):
        kept[:] = [self.echo()]
        yield kept[0]

    def run(self):
        if name.startswith('returned'):
            return {'x': kept[0]} if 'dict' in name else kept[0]
        return (yield FOREIGN[name](self, kept[0]))
        yield

    first = Story(other)
    first.decide()
    if state == 'done':
        first.completed(1, 'leaked')
        first.decide()
    elif state == 'made by hand':
        kept[:] = [first.cls().echo()]
    lines = Story(run).decide()
    origin = 'a description that no execution made' if state == 'made by hand' else 'a task of another execution'
    if (name, state) == ('with a time-out', 'open'):  # its timer would be the other execution's
        origin = 'is used outside the thread'
    assert [line for line in lines if line.startswith('fail YieldError') and origin in line], lines


MISUSES = {
    'if': bool,
    'not': lambda task: not task,
    'unpacking': lambda task: [*task],
    'for': lambda task: [x for x in task],  # noqa: C416
    'list': list,
    'a, b =': unpack,
    '==': lambda task: task == 'Ada',
    '== the other way round': lambda task: 'Ada' == task,  # noqa: SIM300
    '!=': lambda task: task != 3,
    '== None': lambda task: task == None,  # noqa: E711
    'in': lambda task: task in ('Ada', 'Bob'),
    'str': str,
    'f-string': lambda task: f'Dear {task}',
    'format': lambda task: '{:>10}'.format(task),  # noqa: UP032
    'percent': lambda task: '%s' % task,  # noqa: UP031
    '<': lambda task: task < 3,
    '> the other way round': lambda task: 3 > task,  # noqa: SIM300
    'max': lambda task: max(task, task),
    '+': lambda task: task + 1,
    '+ the other way round': lambda task: 'Dear ' + task,
    'sum': lambda task: sum([task]),
    '-': lambda task: -task,
    'int': int,
    'float': float,
    'index': lambda task: [1, 2][task],
    'range': range,
    'item': lambda task: task['name'],
    'len': len,
    'what is in it': lambda task: 'Ada' in task,
}


@pytest.mark.parametrize('name', MISUSES)
def test_a_task_is_not_its_result(name):
    def run(self):
        task = self.echo()
        try:
            MISUSES[name](task)
        except TypeError as error:
            return [str(error), (yield task)]

    text, value = settled(run, 'later')
    assert 'yield it first' in text
    assert value == 'later'


def test_a_task_as_a_key_in_a_payload_raises_at_the_call():
    def run(self):
        with pytest.raises(TypeError, match='is the key of a dict: yield it first'):
            self.other([{self.echo(): 1}])
        return 'refused'

    (*_, line) = Story(run).decide()
    assert line == 'activity 1.1 Echo [[],{}]'


WRITTEN = {
    'the key of a dict': lambda task: {task: 1},
    'a key deep down': lambda task: [1, {'a': ({task: 1},)}],
    'in a set': lambda task: {task},
}


@pytest.mark.parametrize('name', WRITTEN)
@pytest.mark.parametrize('way', ['result', 'argument', 'signal', 'child signal', 'status', 'side effect', 'restart'])
def test_a_task_in_a_value_that_is_written_says_to_yield_it(name, way):
    def run(self):
        value = WRITTEN[name](self.echo())
        if way == 'result':
            return value
        if way == 'argument':
            yield self.other(value)
        elif way == 'signal':
            yield self.external('w').signal('s', value)
        elif way == 'child signal':
            yield self.child().signal('s', value)
        elif way == 'status':
            self.set_status(value)
        elif way == 'side effect':
            self.side_effect(lambda: value)
        return self.restart(value)

    (*_, line) = Story(run).decide()
    assert line.startswith('fail')
    assert 'TypeError' in line
    assert 'yield it first' in line


@pytest.mark.parametrize('way', ['status', 'side effect'])
def test_a_task_that_is_written_where_none_is_waited_for_says_to_yield_it(way):
    def run(self):
        value = {'echo': [self.echo()]}
        if way == 'status':
            self.set_status(value)
        self.side_effect(lambda: value)

    (*_, line) = Story(run).decide()
    assert 'yield it first' in line


def test_a_branch_in_an_argument_says_to_yield_it():
    def branch():
        yield

    def run(self):
        yield self.other([branch()])

    (line,) = Story(run).decide()
    assert 'branch() is a branch: yield it first' in line


def test_a_task_compares_with_tasks_and_shows_itself():
    def run(self):
        one, other = self.echo(), self.echo()
        return [one == one, one == other, one in [other, 1][:1], repr(one), (yield one)]  # noqa: PLR0124

    story = Story(run)
    story.decide()
    story.completed(2)
    story.completed(1, 'x')
    assert story.decide() == ['complete [true,false,false,"<activity 1 Echo v1()>","x"]']


def test_a_description_is_text_and_compares_with_anything():
    task = Desk.echo.task(1)
    assert (f'{task}', str(task), task == 'Ada', task in (1, None)) == (repr(task), repr(task), False, False)


def test_a_yield_in_a_condition_works_with_parentheses():
    def run(self):
        if (yield self.echo()) == 3:
            return 'three'
        return 'other'

    assert settled(run, 3) == 'three'
