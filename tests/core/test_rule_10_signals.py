"""Rule 10: signals are ordered queues, and only who gets a value takes it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from genflow import (
    ScheduleFailed,
    Signal,
    SignalFailed,
    TaskCanceled,
    TaskTimeout,
    all_of,
    any_of,
    as_completed,
    first_success,
    query,
)
from genflow.core.payloads.hooks import encode

from .story import Desk, Story


def test_values_come_in_the_order_of_arrival():
    def run(self):
        return [(yield self.go.get()), (yield self.go.get()), (yield self.go.get())]

    story = Story(run)
    story.decide()
    story.signaled('go', 1)
    assert story.decide() == []
    story.signaled('go', 2)
    story.signaled('go', 3)
    assert story.decide() == ['complete [1,2,3]']


def test_signals_are_buffered_from_the_first_event():
    def run(self):
        yield self.echo()
        return self.go.drain()

    story = Story(run)
    story.signaled('go', 1)
    story.decide()
    story.signaled('go', 2)
    story.completed(1)
    assert story.decide() == ['complete [1,2]']


def test_a_signal_is_named_after_its_attribute_by_default():
    class Named(Desk):
        approve = Signal('order-approved')

        def run(self):
            return (yield self.approve.get())

    story = Story(Named)
    story.decide()
    story.signaled('approve', 'wrong')
    assert story.decide() == []
    story.signaled('order-approved', 'right')
    assert story.decide() == ['complete "right"']


def test_len_and_drain_tell_what_is_there():
    def run(self):
        yield self.echo()
        return [len(self.go), bool(self.go), self.go.drain(), len(self.go), bool(self.go), self.go.drain()]

    story = Story(run)
    story.decide()
    for value in 'ab':
        story.signaled('go', value)
    story.completed(1)
    assert story.decide() == ['complete [2,true,["a","b"],0,false,[]]']


@pytest.mark.parametrize(('text', 'expected'), [(None, None), ('', None), ('null', None), ('[1]', [1]), ('"x"', 'x')])
def test_an_input_is_the_json_of_one_value(text, expected):
    def run(self):
        return [(yield self.go.get())]

    story = Story(run)
    story.signaled('go', text='')
    story.events[-1].input = text
    story.decide()
    assert story.result == [expected]


def test_code_that_looks_sees_every_signal_that_was_there_when_the_decision_began():
    def run(self):
        seen = [len(self.go)]
        yield self.echo()
        return [*seen, self.go.drain()]

    story = Story(run)
    story.signaled('go', 'before the first decision')
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed(1)
    story.signaled('go', 'after the result')
    assert story.decide() == ['complete [1,["before the first decision","after the result"]]']


def test_signals_that_a_restart_carried_come_before_those_of_the_first_decision():
    carried = {'genflow.restart': 1, 'input': '[[],{}]', 'signals': [['go', '"carried"']]}
    story = Story(lambda self: [len(self.go), self.go.drain()], input=encode(carried))
    story.signaled('go', 'new')
    assert story.decide() == ['complete [2,["carried","new"]]']


def test_a_get_that_waits_is_settled_at_the_place_of_its_signal():
    def run(self):
        first = yield any_of(self.go.get(), self.echo())
        return [first.kind, len(self.go)]

    story = Story(run)
    story.decide()
    story.completed(1)
    story.signaled('go', 'too late')
    assert story.decide() == ['complete ["activity",1]']


def test_nobody_takes_a_signal_ahead_of_the_get_that_waits_for_it():
    def run(self):
        def thief():
            yield self.echo()
            seen = [len(self.go), bool(self.go), self.go.drain()]
            return [*seen, (yield self.go.get())]

        other = self.spawn(thief())
        mine = yield self.go.get()
        return [mine, (yield other)]

    story = Story(run)
    story.decide()
    story.completed(1)
    story.signaled('go', 'mine')
    story.signaled('go', 'theirs')
    assert story.decide() == ['complete ["mine",[0,false,[],"theirs"]]']


def test_a_get_that_another_branch_waits_for_too_keeps_its_place():
    def run(self):
        order = []
        get = self.go.get()

        def other():
            yield self.echo()
            order.append('asked')
            yield get
            order.append('second')

        task = self.spawn(other())
        yield get
        order.append('first')
        yield task
        return order

    story = Story(run)
    story.decide()
    story.completed(1)
    story.signaled('go')
    assert story.decide() == ['complete ["asked","first","second"]']


def test_signals_are_there_for_all_as_soon_as_nobody_waits_for_them():
    def run(self):
        yield any_of(self.go.get(), self.echo())
        return [len(self.go), self.go.drain()]

    story = Story(run)
    story.decide()
    story.completed(1)
    story.signaled('go', 1)
    story.signaled('go', 2)
    assert story.decide() == ['complete [2,[1,2]]']


def test_signals_behind_one_that_a_get_took_are_there_at_once():
    def run(self):
        taken = [(yield self.go.get())]
        while self.go:
            taken += self.go.drain()
        return taken

    story = Story(run)
    story.decide()
    for value in 'abc':
        story.signaled('go', value)
    assert story.decide() == ['complete ["a","b","c"]']


def test_signals_are_there_before_what_swf_refused_of_the_last_decision_is_applied():
    def run(self):
        try:
            yield self.echo()
        except ScheduleFailed:
            return self.go.drain()

    story = Story(run)
    story.start()
    story.signaled('go', 'there')
    story.respond(refuse={'1.1': 'ACTIVITY_TYPE_DOES_NOT_EXIST'})
    assert story.decide() == ['complete ["there"]']


def test_an_input_that_is_no_json_raises_at_the_yield_that_reads_it():
    def run(self):
        seen = []
        for _ in range(3):
            try:
                seen.append((yield self.go.get()))
            except SignalFailed as error:
                seen.append('{oops' in str(error))
        return seen

    story = Story(run)
    story.signaled('go', 1)
    story.signaled('go', text='{oops')
    story.signaled('go', 3)
    assert story.decide() == ['complete [1,true,3]']


def test_raw_gives_the_text():
    def run(self):
        yield self.echo()
        return [(yield self.go.get(raw=True)), self.go.drain(raw=True)]

    story = Story(run)
    story.decide()
    for text in ('{oops', '[1]', ''):
        story.signaled('go', text=text)
    story.completed(1)
    assert story.decide() == ['complete ["{oops",["[1]",""]]']


def test_drain_takes_what_comes_before_an_input_that_is_no_json():
    def run(self):
        yield self.echo()
        try:
            self.go.drain()
        except SignalFailed:
            return self.go.drain()

    story = Story(run)
    story.decide()
    for text in ('1', '{oops', '3'):
        story.signaled('go', text=text)
    story.completed(1)
    assert story.decide() == ['complete [3]']


def test_a_get_that_was_never_yielded_takes_nothing():
    def run(self):
        self.go.get()
        yield self.echo()
        return len(self.go)

    story = Story(run)
    story.signaled('go')
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete 1']


def test_a_get_that_lost_a_race_takes_nothing():
    def run(self):
        yield any_of(self.go.get(), self.echo())
        yield self.other()
        return self.go.drain()

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    story.signaled('go', 'kept')
    story.completed(2)
    assert story.decide() == ['complete ["kept"]']


def test_a_get_that_lost_may_be_yielded_again():
    def run(self):
        get = self.go.get()
        yield any_of(get, self.echo())
        return (yield get)

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == []
    story.signaled('go', 'later')
    assert story.decide() == ['complete "later"']


def test_a_get_that_timed_out_takes_nothing():
    def run(self):
        try:
            yield self.go.get().timeout(5)
        except TaskTimeout:
            yield self.echo()
        return self.go.drain()

    story = Story(run)
    assert story.decide() == ['timer 1 5s']
    story.fired(1)
    story.decide()
    story.signaled('go', 'kept')
    story.completed(2)
    assert story.decide() == ['complete ["kept"]']


def test_a_get_that_was_cancelled_takes_nothing():
    def run(self):
        get = self.go.get()

        def branch():
            with suppress(TaskCanceled):
                yield get

        self.spawn(branch())
        yield self.stop.get()
        get.cancel()
        yield self.echo()
        return self.go.drain()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    story.decide()
    story.signaled('go', 'kept')
    story.completed(1)
    assert story.decide() == ['complete ["kept"]']


def test_a_branch_that_was_closed_takes_nothing():
    def run(self):
        def branch():
            yield self.go.get()

        yield any_of(branch(), self.echo())
        yield self.other()
        return self.go.drain()

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    story.signaled('go', 'kept')
    story.completed(2)
    assert story.decide() == ['complete ["kept"]']


def test_the_gets_of_one_yield_take_in_their_order():
    def run(self):
        return (yield [self.go.get(), self.go.get()])

    story = Story(run)
    story.signaled('go', 1)
    story.decide()
    story.signaled('go', 2)
    assert story.decide() == ['complete [1,2]']


def test_branches_take_in_the_order_in_which_they_began_to_wait():
    def run(self):
        def branch():
            return (yield self.go.get())

        return (yield [branch(), branch(), branch()])

    story = Story(run)
    story.decide()
    for value in 'abc':
        story.signaled('go', value)
        story.decide()
    assert story.result == ['a', 'b', 'c']


def test_a_race_of_two_gets_takes_one_value():
    def run(self):
        yield self.echo()
        one, other = self.go.get(), self.go.get()
        first = yield any_of(one, other)
        return [first is one, first.result(), self.go.drain()]

    story = Story(run)
    story.decide()
    story.signaled('go', 'a')
    story.signaled('go', 'b')
    story.completed(1)
    assert story.decide() == ['complete [true,"a",["b"]]']


def test_a_race_of_two_signals_takes_from_one():
    def run(self):
        yield self.echo()
        first = yield any_of(self.stop.get(), self.go.get())
        return [first.result(), self.go.drain(), self.stop.drain()]

    story = Story(run)
    story.decide()
    story.signaled('go', 'g')
    story.signaled('stop', 's')
    story.completed(1)
    assert story.decide() == ['complete ["s",["g"],[]]']  # both were there: the first member has it


def test_a_get_gives_its_value_as_often_as_it_is_yielded():
    def run(self):
        yield self.echo()
        get = self.go.get()
        return [(yield get), (yield get), len(self.go)]

    story = Story(run)
    story.decide()
    story.signaled('go', 1)
    story.signaled('go', 2)
    story.completed(1)
    assert story.decide() == ['complete [1,1,1]']


def test_a_get_in_nested_combinators():
    def run(self):
        return (yield first_success(all_of(self.go.get(), self.go.get()), self.echo()))

    story = Story(run)
    story.decide()
    story.signaled('go', 1)
    assert story.decide() == []
    story.signaled('go', 2)
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete [1,2]']


def test_as_completed_of_gets_and_activities():
    def run(self):
        seen = []
        for slot in as_completed([self.go.get(), self.echo(), self.stop.get()]):
            seen.append((yield slot))  # noqa: PERF401
        return seen

    story = Story(run)
    story.decide()
    story.signaled('stop', 's')
    story.decide()
    story.completed(1, 'e')
    story.decide()
    story.signaled('go', 'g')
    story.decide()
    assert story.result == ['s', 'e', 'g']


def test_a_signal_among_waiting_gets_goes_to_one_that_is_still_wanted():
    def run(self):
        def loser():
            yield self.go.get()

        yield any_of(loser(), self.echo())
        return (yield self.go.get())

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    story.signaled('go', 'mine')
    assert story.decide() == ['complete "mine"']


def ending(run, caplog):
    story = Story(run)
    story.signaled('go')
    story.signaled('stop')
    story.signaled('go')
    story.decide()
    return {record.getMessage() for record in caplog.records}


@pytest.mark.parametrize('how', ['completed', 'failed'])
def test_an_execution_that_ends_with_unread_signals_says_so(how, caplog):
    def run(self):
        if how == 'failed':
            raise ValueError

    (message,) = ending(run, caplog)
    assert "unread signals: 'go' (2), 'stop' (1)" in message


def test_one_that_has_read_them_or_continues_says_nothing(caplog):
    assert not ending(lambda self: [self.go.drain(), self.stop.drain()], caplog)
    assert not ending(lambda self: self.restart(), caplog)


def test_unread_signals_are_not_reported_again_where_the_close_was_refused(caplog):
    def run(self):
        yield any_of(self.echo(), self.sleep(60))

    story = Story(run)
    story.decide()
    story.signaled('go')
    story.completed(1)
    story.start()
    story.fired('2')
    story.respond()
    caplog.clear()
    assert story.decide() == ['complete null']
    assert caplog.records == []


def test_an_unread_signal_does_not_keep_the_execution_open():
    story = Story(lambda self: 'done')
    story.signaled('go')
    assert story.decide() == ['complete "done"']


def test_races_that_a_get_has_lost_leave_nothing_behind():
    """A loop that waits for this signal or that does not grow with the times that the other one came."""

    def run(self):
        for _ in range(300):
            yield any_of(self.go.get(), self.stop.get())
        return (yield self.go.get())

    story = Story(run)
    for number in range(300):
        story.signaled('stop', number)
    story.decide()
    assert len(story.sticky.mailboxes['go'].queue) <= 64
    story.signaled('go', 'last')
    assert story.decide() == ['complete "last"']


def test_a_get_that_is_yielded_again_lines_up_once():
    def run(self):
        get = self.go.get()
        for _ in range(50):
            yield any_of(get, self.stop.get())

    story = Story(run)
    for number in range(50):
        story.signaled('stop', number)
    story.decide()
    assert len(story.sticky.mailboxes['go'].queue) == 1


def test_a_query_that_drains_reads_nothing():
    class Asked(Desk):
        def run(self):
            yield self.stop.get()
            return self.go.drain()

        @query
        def unread(self):
            return self.go.drain()

    story = Story(Asked)
    story.signaled('go', 1)
    story.signaled('go', 2)
    story.decide()
    assert story.sticky.query('unread') == [1, 2]
    assert story.sticky.query('unread') == [1, 2]


@pytest.mark.parametrize(('unread', 'expected'), [(0, False), (1, True), (2, True)])
def test_a_signal_is_true_where_something_is_unread(unread, expected):
    def run(self):
        yield self.echo()
        return bool(self.go)

    story = Story(run)
    story.decide()
    for number in range(unread):
        story.signaled('go', number)
    story.completed(1)
    assert story.decide() == [f'complete {str(expected).lower()}']


@pytest.mark.parametrize('name', ['x', 'x' * 255, 'x' * 256])
def test_the_name_of_a_signal_has_1_to_256_characters(name):
    assert Desk().external('other').signal(name).asked()[0] == 'other'


@pytest.mark.parametrize('name', ['', 'x' * 257, None, 7])
def test_what_is_no_name_of_a_signal(name):
    with pytest.raises(TypeError, match=r'is not a signal; give Order\.approve or a name of at most 256 characters'):
        Desk().external('other').signal(name)
