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
    assert story.decide() == ['cancel activity 3.1', 'cancel timer 1', 'cancel execution kid']
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
    assert story.decide() == ['cancel activity 1.1', 'activity 2.1 Other [["clean"],{}]']
    story.completed(2)
    assert story.decide() == ['canceled']


def test_a_finally_block_may_yield():
    def run(self):
        try:
            yield self.echo()
        finally:
            yield self.other('clean')

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel activity 1.1', 'activity 2.1 Other [["clean"],{}]']
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
    assert story.decide() == ['complete "handled"']


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
    assert story.decide() == ['cancel activity 1.1', 'fail ValueError: while cleaning']


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
        yield self.stop.get()
        return log

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel activity 1.1', 'cancel activity 2.1']
    story.signaled('stop')
    assert story.decide()[-1] == 'complete ["run","a","b"]'


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
    assert story.decide() == ['complete "handled"']


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
    assert story.decide() == ['complete "both"']
