"""Rule 11: cancellation is thrown once, where nothing shields from it."""

from __future__ import annotations

from contextlib import suppress

from genflow import TaskCanceled, WorkflowCanceled

from .story import Story


def test_it_is_a_base_exception():
    assert issubclass(WorkflowCanceled, BaseException)
    assert not issubclass(WorkflowCanceled, Exception)


def test_it_leaves_run_and_everything_open_is_cancelled():
    def run(self):
        self.sleep(60)
        self.child.with_options(workflow_id='kid')()
        yield self.echo()

    story = Story(run)
    story.decide()
    story.child_started('kid')
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel timer 1', 'cancel execution kid', 'cancel activity 3.1']
    story.delivered('cancel kid')
    assert story.decide() == []
    story.canceled('kid')
    assert story.decide() == ['canceled']


def test_without_children_it_closes_at_once():
    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel activity 1.1', 'canceled']
    assert story.closed.how == 'canceled'


def test_it_arrives_with_the_first_decision():
    def run(self):
        try:
            yield self.echo()
        except WorkflowCanceled:
            return 'told'

    story = Story(run)
    story.cancel_requested()
    assert story.decide() == ['complete "told"']  # what was not sent yet is never sent


def test_a_handler_cleans_up_and_raises_again():
    def run(self):
        try:
            yield self.echo()
        except WorkflowCanceled:
            yield self.other('clean')
            raise

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['activity 2.1 Other [["clean"],{}]']
    story.completed(2)
    assert story.decide() == ['cancel activity 1.1', 'canceled']


def test_a_finally_block_may_yield():
    def run(self):
        try:
            yield self.echo()
        finally:
            yield self.other('clean')

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['activity 2.1 Other [["clean"],{}]']
    story.completed(2)
    assert story.decide()[-1] == 'canceled'


def test_who_handles_it_completes_and_what_is_open_is_cancelled():
    def run(self):
        try:
            yield self.echo()
        except WorkflowCanceled:
            return 'handled'

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel activity 1.1', 'complete "handled"']


def test_it_is_thrown_once():
    def run(self):
        with suppress(WorkflowCanceled):
            yield self.echo()
        return (yield self.other())

    story = Story(run)
    story.decide()
    story.cancel_requested()
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.completed(1)
    story.completed(2, 'went on')
    assert story.decide() == ['complete "went on"']


def test_another_exception_in_the_handler_fails_the_execution():
    def run(self):
        try:
            yield self.echo()
        except WorkflowCanceled:
            raise ValueError('while cleaning') from None

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['fail ValueError: while cleaning']


def test_each_suspended_branch_is_told_in_order_of_creation():
    def run(self):
        log = []

        def branch(name):
            try:
                yield self.echo(name)
            except WorkflowCanceled:
                log.append(name)

        self.spawn(branch('a'))
        self.spawn(branch('b'))
        try:
            yield self.go.get()
        except WorkflowCanceled:
            log.append('run')
        yield self.other(log)

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['activity 3.1 Other [["run","a","b"],{}]'] or story.answers[-1].all[0].input in (
        '[[["run","a","b"]],{}]',
        '[[["run"]],{}]',
    )


def test_branches_that_end_by_it_are_no_failure():
    def run(self):
        def branch():
            yield self.echo()

        self.spawn(branch())
        with suppress(WorkflowCanceled):
            yield self.go.get()
        return 'handled'

    story = Story(run)
    story.decide()
    story.cancel_requested()
    story.decide()
    if story.closed is None:
        story.completed(1)
        story.decide()
    assert story.result == 'handled'


def test_who_waits_for_a_cancelled_branch_is_told_of_the_cancellation_only_once():
    def run(self):
        def branch():
            yield self.echo()

        task = self.spawn(branch())
        try:
            yield task
        except WorkflowCanceled:
            try:
                yield task
            except TaskCanceled:
                return 'both'

    story = Story(run)
    story.decide()
    story.cancel_requested()
    story.decide()
    if story.closed is None:
        story.completed(1)
        story.decide()
    assert story.result == 'both'


# shields


def test_a_shield_holds_it_off_until_the_next_yield_after_it():
    def run(self):
        with self.shield():
            one = yield self.echo()
            two = yield self.echo()
        try:
            yield self.other([one, two])
        except WorkflowCanceled:
            return [one, two]

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.completed(1, 1)
    assert story.decide() == ['activity 2.1 Echo [[],{}]']
    story.completed(2, 2)
    assert story.decide() == ['complete [1,2]']


def test_a_shield_that_reaches_to_the_end_keeps_the_result():
    def run(self):
        with self.shield():
            return (yield self.echo())

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.completed(1, 'whole')
    assert story.decide() == ['complete "whole"']


def test_a_shield_belongs_to_the_branch_that_entered_it():
    def run(self):
        def branch():
            try:
                yield self.echo()
            except WorkflowCanceled:
                yield self.other('unshielded')

        self.spawn(branch())
        yield self.stop.get()
        with self.shield():
            yield self.go.get()
        return 'shielded'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['activity 2.1 Other [["unshielded"],{}]']
    story.completed(1)
    story.completed(2)
    story.signaled('go')
    assert story.decide() == ['complete "shielded"']


def test_a_branch_begun_in_a_shield_is_shielded():
    def run(self):
        def branch():
            yield self.echo()
            return (yield self.other())

        with self.shield():
            return (yield [branch()])

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.completed(1)
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.completed(2, 'whole')
    assert story.decide() == ['complete ["whole"]']


def test_shields_nest():
    def run(self):
        with self.shield():
            with self.shield():
                yield self.echo()
            yield self.echo()
        yield self.other()

    story = Story(run)
    story.decide()
    story.cancel_requested()
    story.decide()
    story.completed(1)
    assert story.decide() == ['activity 2.1 Echo [[],{}]']
    story.completed(2)
    assert story.decide()[-1] == 'canceled'


# after run has returned


def test_after_run_has_returned_what_is_open_is_cancelled_and_the_result_stands():
    def run(self):
        self.echo()
        self.child.with_options(workflow_id='kid')()
        return 'result'

    story = Story(run)
    story.decide()
    story.child_started('kid')
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel activity 1.1', 'cancel execution kid']
    story.canceled('kid')
    assert story.decide() == ['complete "result"']


def test_a_request_while_what_was_returned_is_waited_for():
    def run(self):
        yield self.other()
        return self.echo()

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel activity 2.1', 'canceled']


def test_a_plain_run_is_cancelled_after_it_returned():
    def run(self):
        self.echo()
        return 'result'

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel activity 1.1', 'complete "result"']


def test_a_request_that_comes_with_the_close_changes_nothing():
    def run(self):
        yield self.echo()
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.start() == ['complete "done"']
    story.cancel_requested()
    story.respond()
    assert story.decide() == ['complete "done"']


def test_a_canceling_close_that_came_too_early_is_decided_again():
    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.start() == ['cancel activity 1.1', 'canceled']
    story.signaled('go')
    story.respond()
    assert story.decide() == ['canceled']


def test_what_waits_for_an_argument_is_not_scheduled_after_a_cancellation():
    def run(self):
        self.other(self.child.with_options(workflow_id='kid')())
        yield self.go.get()

    story = Story(run)
    story.decide()
    story.child_started('kid')
    story.decide()
    story.cancel_requested()
    story.decide()
    story.completed('kid', 'value')
    assert story.decide() == ['canceled']


def test_a_wait_before_a_retry_is_cancelled():
    from genflow import Retry

    def run(self):
        yield self.echo.with_options(retry=Retry(3, initial_interval=9, jitter=0))()

    story = Story(run)
    story.decide()
    story.failed(1)
    assert story.decide() == ['timer 1.2;w 9s']
    story.cancel_requested()
    assert story.decide() == ['cancel timer 1.2;w', 'canceled']


def test_a_map_ends_with_the_calls_that_a_cancellation_drops():
    def run(self):
        yield self.map(self.echo, [1, 2], limit=1)

    story = Story(run)
    story.cancel_requested()
    assert story.decide() == ['canceled']


def test_a_child_not_started_yet_is_cancelled_once_it_is_and_then_closes():
    def run(self):
        yield self.child.with_options(workflow_id='kid')()

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.child_started('kid')
    assert story.decide() == ['cancel execution kid']
    story.canceled('kid')
    assert story.decide() == ['canceled']
