"""Rule 4: a failure waits to be taken, and is not lost."""

from __future__ import annotations

from contextlib import suppress

import pytest

from genflow import (
    ActivityFailed,
    ActivityProxy,
    all_of,
    any_of,
    as_completed,
    first_success,
)

from .story import Story


def test_a_failure_waits_while_run_can_still_yield_it():
    def run(self):
        task = self.echo()
        yield self.other()
        try:
            yield task
        except ActivityFailed:
            return 'taken late'

    story = Story(run)
    story.decide()
    story.failed(1)
    assert story.decide() == []
    story.completed(2)
    assert story.decide() == ['complete "taken late"']


def test_a_failure_that_was_never_retrieved_fails_the_workflow_when_run_returns():
    def run(self):
        self.echo()
        yield self.other()

    story = Story(run)
    story.decide()
    story.failed(1, reason='lost')
    assert story.decide() == []
    story.completed(2)
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: lost']


def test_a_failure_that_comes_after_run_returned_fails_the_workflow():
    def run(self):
        self.echo()
        return 'fine'

    story = Story(run)
    story.decide()
    story.failed(1, reason='late')
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: late']


def test_error_handling_on_the_proxy_lets_a_failure_go():
    def run(self):
        self.careless()
        yield self.other()
        return 'fine'

    story = Story(run, members={'careless': ActivityProxy('Careless', '1', retry=0, error_handling=True)})
    story.decide()
    story.failed(1)
    story.completed(2)
    assert story.decide() == ['complete "fine"']


def test_error_handling_does_not_keep_a_failure_from_its_yield():
    def run(self):
        yield self.careless()

    story = Story(run, members={'careless': ActivityProxy('Careless', '1', retry=0, error_handling=True)})
    story.decide()
    story.failed(1)
    assert story.decide()[0].startswith('fail ActivityFailed')


def result_read(self, task):
    with pytest.raises(ActivityFailed):
        task.result()


def passed(self, task):
    return self.other.with_options(error_handling=True)(task)


def cancelled(self, task):
    task.cancel()


def yielded(self, task):
    with suppress(ActivityFailed):
        yield task


def member_of_all(self, task):
    with suppress(ActivityFailed):
        yield all_of(task, self.go.get())


def member_of_all_returned(self, task):
    yield all_of([task], failures='return')


def member_of_first_success(self, task):
    yield first_success(task, self.other())


TAKING = {
    'its exception() is read': (lambda self, task: task.exception(), 'after'),
    'its result() is read': (result_read, 'after'),
    'it is passed as an argument': (passed, 'after'),
    'it is cancelled': (cancelled, 'before'),
    'it is yielded': (yielded, 'after'),
    'it is a member of a yielded all_of': (member_of_all, 'after'),
    'it is a member of a yielded all_of that returns failures': (member_of_all_returned, 'after'),
    'it is a member of a yielded first_success': (member_of_first_success, 'after'),
}


@pytest.mark.parametrize('name', TAKING)
def test_a_failure_is_taken_when(name):
    take, when = TAKING[name]

    def run(self):
        task = self.echo()
        if when == 'after':
            yield self.other()
        found = take(self, task)
        if hasattr(found, 'gi_frame'):
            yield from found
        if when == 'before':
            yield self.other()
        return 'fine'

    story = Story(run)
    story.decide()
    if when == 'after':
        story.failed(1)
    story.completed(2)
    story.decide()
    if story.closed is None:
        story.completed(3)
        story.decide()
    assert story.result == 'fine'


def test_a_failed_winner_of_any_of_is_taken_only_when_it_is_asked():
    def run(self):
        winner = yield any_of(self.echo(), self.sleep(60))
        return winner.number

    story = Story(run)
    story.decide()
    story.failed(1, reason='won')
    assert story.decide()[-1] == 'fail ActivityFailed: activity 1 Echo v1: won'


def test_a_failed_winner_of_any_of_that_is_asked_is_taken():
    def run(self):
        winner = yield any_of(self.echo(), self.sleep(60))
        return str(winner.exception().reason)

    story = Story(run)
    story.decide()
    story.failed(1, reason='won')
    assert story.decide()[-1] == 'complete "won"'


def test_the_failure_of_a_loser_of_any_of_is_taken():
    def run(self):
        yield any_of(self.echo(), self.other())
        yield self.sleep(5)
        return 'fine'

    story = Story(run)
    story.decide()
    story.completed(2)
    story.decide()
    story.failed(1)
    story.fired(3)
    assert story.decide() == ['complete "fine"']


@pytest.mark.parametrize(
    'combine', [all_of, any_of, lambda *tasks: all_of(*tasks, failures='return')], ids=['all', 'any', 'return']
)
def test_a_combinator_that_is_not_yielded_takes_nothing(combine):
    def run(self):
        combine(self.echo(), self.other())
        return 'fine'

    story = Story(run)
    story.decide()
    story.failed(1, reason='unseen')
    story.completed(2)
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: unseen']


def test_a_failure_read_from_a_slot_that_settled_before_is_taken():
    def run(self):
        slots = list(as_completed([self.echo(), self.echo()]))
        yield self.other()
        with suppress(ActivityFailed):
            yield slots[0]
        return (yield slots[1])

    story = Story(run)
    story.decide()
    story.failed(1)
    story.completed(2, 'second')
    story.decide()
    story.completed(3)
    assert story.decide() == ['complete "second"']


def test_a_failed_branch_that_is_never_retrieved_fails_the_workflow():
    def run(self):
        def branch():
            yield self.echo()
            raise KeyError('branch')

        self.spawn(branch())
        return 'fine'

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ["fail KeyError: 'branch'"]


def test_the_first_of_several_untaken_failures_is_the_one():
    def run(self):
        self.echo()
        self.other()
        return 'fine'

    story = Story(run)
    story.decide()
    story.failed(2, reason='first')
    story.failed(1, reason='second')
    assert story.decide() == ['fail ActivityFailed: activity 2 Other v2: first']


def test_the_same_failure_may_be_raised_more_than_once():
    def run(self):
        task = self.echo()
        seen = []
        for _ in range(3):
            try:
                yield task
            except ActivityFailed as error:
                seen.append(len(list(walk(error.__traceback__))))
        return seen

    story = Story(run)
    story.decide()
    story.failed(1)
    story.decide()
    first, *others = story.result
    assert others == [first, first]  # frames do not pile up


def walk(trace):
    while trace is not None:
        yield trace
        trace = trace.tb_next


def test_a_result_that_cannot_be_read_is_held():
    from genflow import HistoryError

    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.completed(1, text='{oops')
    with pytest.raises(HistoryError, match=r'activity 1 Echo v1.*\{oops'):
        story.decide()
