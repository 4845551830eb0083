"""Rule 11: shields, and cancellation after run has returned."""

from __future__ import annotations

from genflow import WorkflowCanceled

from .story import Story


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
    assert story.decide() == ['cancel activity 1.1', 'activity 2.1 Other [["unshielded"],{}]']
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


def test_what_a_branch_in_a_shield_begins_is_shielded_too():
    def run(self):
        def inner():
            return (yield self.echo())

        def outer():
            yield self.sleep(1)  # the shield of the one that began it counts, and not where it stands now
            return (yield inner())

        with self.shield():
            found = yield outer()
        try:
            yield self.other(found)
        except WorkflowCanceled:
            return found

    story = Story(run)
    story.decide()
    story.fired(1)
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.completed(2, 'kept')
    assert story.decide() == ['complete "kept"']


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
    assert story.decide() == ['complete "result"']


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
