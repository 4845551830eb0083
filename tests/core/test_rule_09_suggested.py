"""Rule 9, by itself: the restart that `restart_when_suggested` gives once a history has grown long."""

from __future__ import annotations

import logging
import re

import pytest

from genflow import ActivityProxy, DefinitionError, NondeterminismError, Retry, WorkflowCanceled, any_of, query
from genflow.core.engine import suggested_restart
from genflow.core.engine.execution import Execution
from genflow.core.model import decisions, events, info
from genflow.core.payloads.hooks import decode, encode

from .recording import said
from .story import Desk, Story


@pytest.fixture(autouse=True)
def short_histories(monkeypatch):
    """A restart is suggested from event 20 on: in `Loop`, with the third completion."""
    monkeypatch.setattr(info, 'RESTART_SUGGESTED', 20)


def alone(story):
    """A decision of the kept execution, without the others: each of those would replay everything."""
    story._begin_decision()  # noqa: SLF001
    story.answer = story.sticky.advance(story._page(story.sticky))  # noqa: SLF001
    story.respond()
    return said(story.answer)


class Loop(Desk):
    """Calls one activity after the other."""

    def run(self, cursor):
        self.cursor = cursor
        while True:
            yield self.echo(self.cursor)
            self.cursor += 1

    def restart_when_suggested(self):
        return self.restart(self.cursor)


class Ledger(Desk):
    """Adds up what it is told, and books what is large."""

    def run(self, total=0):
        self.total = total
        while True:
            value = yield self.go.get()
            if value > 100:
                yield self.echo(value)
            self.total += value

    def restart_when_suggested(self):
        return self.restart(self.total)


def loops(story, count):
    for number in range(1, count + 1):
        story.completed(number)
        story.decide()


def padded(story, to=20):
    """A history that is long already: signals that nobody reads, and each makes an event."""
    while story.events[-1].id < to:
        story.signaled('unread', None)


# what it does


def test_a_loop_continues_in_a_new_run():
    story = Story(Loop, 0, evict=lambda: True)
    story.decide()
    loops(story, 2)
    story.completed(3)
    assert story.decide() == ['marker genflow.restart {"events":21}', 'continue [[3],{}]']
    assert story.closed.how == 'continued'
    assert not story.open


def test_before_it_is_suggested_it_is_not_asked():
    story = Story(Loop, 0)
    assert story.decide() == ['activity 1.1 Echo [[0],{}]']
    story.completed(1)
    assert story.decide() == ['activity 2.1 Echo [[1],{}]']


def test_without_the_method_a_long_history_just_continues():
    def run(self):
        while True:
            yield self.echo()

    story = Story(run)
    story.decide()
    loops(story, 9)
    assert story.closed is None


def test_none_means_not_now():
    class Odd(Loop):
        def restart_when_suggested(self):
            return self.restart(self.cursor) if self.cursor % 4 == 0 else None

    story = Story(Odd, 0)
    story.decide()
    loops(story, 3)
    assert said(story.answer) == ['activity 4.1 Echo [[3],{}]']
    story.completed(4)
    assert story.decide()[-1] == 'continue [[4],{}]'


def test_with_options_says_something_else_of_the_next_run():
    class Other(Loop):
        def restart_when_suggested(self):
            return self.restart.with_options(version=2, tags=['renewed'])(self.cursor)

    story = Story(Other, 0, task_list='mine', priority=3)
    story.decide()
    loops(story, 3)
    close = story.answer.all[-1]
    assert (close.version, close.tags, close.task_list, close.priority) == ('2', ('renewed',), 'mine', 3)


def test_what_the_decision_recorded_goes_along():
    class WorkflowValues(Loop):
        def run(self, cursor):
            self.cursor = cursor
            while True:
                self.set_status(self.side_effect(lambda: f'at {self.cursor}'))
                yield self.echo(self.cursor)
                self.cursor += 1

    story = Story(WorkflowValues, 0)
    story.decide()
    loops(story, 3)
    assert said(story.answer) == [
        'marker genflow.side_effect {"n":4,"value":"at 3"}',
        'marker genflow.restart {"events":24}',
        'continue [[3],{}]',
    ]
    assert story.answer.context == '"at 3"'


def test_a_time_limit_that_is_over_is_cancelled_with_the_restart():
    class Limited(Loop):
        def run(self, cursor):
            self.cursor = cursor
            while True:
                yield self.echo(self.cursor).timeout(60)
                self.cursor += 1

    story = Story(Limited, 0)
    story.decide()
    for number in (1, 3, 5):
        story.completed(number)
        story.decide()
    assert said(story.answer) == ['marker genflow.restart {"events":26}', 'cancel timer 6', 'continue [[3],{}]']


def test_its_generators_are_put_to_rest_in_silence(caplog, capfd):
    class Noisy(Loop):
        def run(self, cursor):
            self.cursor = cursor
            while True:
                try:
                    yield self.echo(self.cursor)
                finally:
                    self.cursor += 1
                    if self.cursor > 3:
                        self.logger.warning('cleaning up')
                        yield self.other()

    story = Story(Noisy, 0)
    story.decide()
    loops(story, 2)
    caplog.clear()
    story.completed(3)
    story.decide()
    caplog.clear()
    story.sticky.close()
    assert caplog.records == []
    assert capfd.readouterr() == ('', '')


def test_by_hand_it_is_a_value():
    loop = Loop()
    run = loop.run(5)
    next(run)
    run.send(None)
    assert loop.restart_when_suggested() == loop.restart(6)


# when it is asked


def activity(self):
    yield self.echo()


def child(self):
    yield self.child()


def timer(self):
    yield self.sleep(60)


def function(self):
    yield self.shrink(1)


def message(self):
    yield self.external('w').signal('s')


def cancel_request(self):
    yield self.external('w').cancel()


def argument(self):
    yield self.echo(self.stop.get())


def detached_child_that_is_waited_for(self):
    task = self.child()
    task.detach()
    yield task


def canceled_child(self):
    task = self.child()
    yield self.stop.get()
    task.cancel()
    yield self.stop.get()


def wait_before_another_try(self):
    yield self.patient()


def in_a_branch(self):
    self.spawn(activity(self))
    yield self.stop.get()


def limit(self):
    yield self.stop.get().timeout(60)


UNDER_WAY = [
    activity,
    child,
    timer,
    function,
    message,
    cancel_request,
    argument,
    detached_child_that_is_waited_for,
    canceled_child,
    wait_before_another_try,
    in_a_branch,
    limit,
]


class Asked(Desk):
    patient = ActivityProxy('Patient', '1', retry=Retry(2, initial_interval=60, jitter=0))

    def restart_when_suggested(self):
        return self.restart()


def asked(run):
    """A story in which nothing but open work keeps the hook from being asked."""
    members = {'restart_when_suggested': Asked.restart_when_suggested, 'patient': Asked.patient}
    return Story(run, members=members, child_policy='ABANDON')


@pytest.mark.parametrize('run', UNDER_WAY)
def test_it_is_not_asked_while_something_is_open(run):
    story = asked(run)
    story.decide()
    if run in (canceled_child, detached_child_that_is_waited_for):
        story.child_started(1)
        story.signaled('stop')
        story.decide()
    if run is wait_before_another_try:
        story.failed(1)
        assert story.decide() == ['timer 1.2;w 60s']
    padded(story)
    assert story.decide() == []
    assert story.closed is None


def detached_child(self):
    self.child().detach()
    yield self.stop.get()


def canceled_activity(self):
    task = self.echo()
    yield self.go.get()
    task.cancel()
    yield self.stop.get()


def signal(self):
    yield self.stop.get()


AT_REST = [detached_child, canceled_activity, signal]


@pytest.mark.parametrize('run', AT_REST)
def test_what_need_not_be_waited_for_does_not_keep_it(run):
    story = asked(run)
    story.decide()
    if run is detached_child:
        story.child_started(1)
    if run is canceled_activity:
        story.signaled('go')
        assert story.decide() == ['cancel activity 1.1']
    padded(story)
    assert story.decide()[-1].startswith('continue')


def test_what_did_not_fit_into_the_last_response_is_under_way():
    class Many(Asked):
        def run(self):
            yield [self.echo(number) for number in range(3)]

    story = Story(Many)
    story.decide(limit=1)
    story.fired('wake-3')
    story.completed('1.1')
    padded(story)
    assert story.decide() == ['activity 2.1 Echo [[1],{}]', 'activity 3.1 Echo [[2],{}]']


def test_what_swf_refused_for_its_rate_is_under_way():
    class One(Asked):
        def run(self):
            yield self.echo()

    story = Story(One)
    story.decide(refuse={decisions.ScheduleActivity: 'ACTIVITY_CREATION_RATE_EXCEEDED'})
    padded(story)
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    assert story.decide() == ['activity 1.1 Echo [[],{}]']


def test_a_cancellation_is_the_runs_own_business():
    class Tidy(Loop):
        def run(self, cursor):
            self.cursor = cursor
            try:
                yield from super().run(cursor)
            except WorkflowCanceled:
                yield self.other('tidying up')
                raise

    story = Story(Tidy, 0)
    story.decide()
    loops(story, 2)
    story.cancel_requested()
    story.completed(3)
    assert story.decide() == ['activity 4.1 Other [["tidying up"],{}]']
    story.completed(4)
    assert story.decide() == ['canceled']


def test_a_failure_that_was_never_retrieved_is_not_lost(caplog):
    class Careless(Loop):
        def run(self, cursor):
            self.other('careless')
            yield from super().run(cursor)

    story = Story(Careless, 0)
    story.decide()
    story.failed(1)
    for number in (2, 3, 4):
        story.completed(number)
        story.decide()
    assert said(story.answer) == ['activity 5.1 Echo [[3],{}]']
    assert 'activity 1 Other v2' in caplog.text
    assert f'{__file__}:' in caplog.text


def test_a_call_of_restart_that_was_not_returned_is_not_made_good():
    class Forgetful(Asked):
        def run(self):
            yield self.stop.get()
            self.restart('forgotten')
            yield self.stop.get()

    story = Story(Forgetful)
    padded(story)
    story.signaled('stop')
    assert story.decide()[-1].startswith('fail YieldError')


# signals


def test_unread_signals_travel_along():
    story = Story(Loop, 0)
    story.decide()
    loops(story, 2)
    story.signaled('go', 'first')
    story.signaled('stop', 'second')
    story.completed(3)
    envelope = decode(story.decide()[-1].removeprefix('continue '))
    assert envelope['input'] == '[[3],{}]'
    assert envelope['signals'] == [['go', '"first"'], ['stop', '"second"']]


def test_what_adds_signals_up_restarts_with_the_sum():
    story = Story(Ledger)
    story.decide()
    for value in (1, 2, 3, 4, 5):
        story.signaled('go', value)
        story.decide()
    assert said(story.answer) == ['marker genflow.restart {"events":23}', 'continue [[15],{}]']


def test_the_value_of_a_signal_is_not_lost_with_the_call_that_it_was_read_for():
    story = Story(Ledger)
    story.decide()
    padded(story)
    story.signaled('go', 500)
    assert story.decide() == ['activity 1.1 Echo [[500],{}]']
    story.completed(1)
    (_, close) = story.decide()
    assert decode(close.removeprefix('continue '))['input'] == '[[500],{}]'


def test_a_time_limit_is_no_such_call():
    class Flushing(Ledger):
        def run(self, total=0):
            self.total = total
            while True:
                self.total += yield self.go.get().timeout(60)

    story = Story(Flushing)
    story.decide()
    padded(story)
    story.signaled('go', 7)
    (_, cancel, close) = story.decide()
    assert cancel == 'cancel timer 1'
    assert decode(close.removeprefix('continue '))['input'] == '[[7],{}]'


def test_drained_signals_count_as_read():
    class Draining(Asked):
        def run(self):
            while True:
                yield self.go.get()
                yield self.echo(self.stop.drain())

    story = Story(Draining)
    story.decide()
    padded(story)
    story.signaled('stop', 'x')
    story.signaled('go')
    assert story.decide() == ['activity 1.1 Echo [[["x"]],{}]']


def test_the_hook_may_look_at_signals_and_takes_none():
    class Looking(Loop):
        def restart_when_suggested(self):
            return self.restart(self.cursor, self.go.drain(), len(self.stop))

    story = Story(Looking, 0)
    story.decide()
    loops(story, 2)
    story.signaled('go', 'x')
    story.completed(3)
    envelope = decode(story.decide()[-1].removeprefix('continue '))
    assert envelope['input'] == '[[3,["x"],0],{}]'
    assert envelope['signals'] == [['go', '"x"']]


# a restart that SWF does not take


def about_to_restart(cls=Loop, *args):
    story = Story(cls, *(args or (0,)), evict=lambda: True)
    story.decide()
    loops(story, 2)
    story.completed(3)
    assert story.start()[-1] == 'continue [[3],{}]'
    return story


def test_a_signal_that_comes_in_between_travels_too():
    story = about_to_restart()
    story.signaled('go', 'late')
    story.respond()
    assert story.closed is None
    (marker, close) = story.decide()
    assert marker.startswith('marker genflow.restart')
    assert decode(close.removeprefix('continue '))['signals'] == [['go', '"late"']]


def test_a_cancellation_that_comes_in_between_reaches_the_run():
    class Tidy(Loop):
        def run(self, cursor):
            try:
                yield from super().run(cursor)
            except WorkflowCanceled:
                yield self.other('tidying up')
                raise

    story = about_to_restart(Tidy)
    story.cancel_requested()
    story.respond()
    assert story.decide() == ['activity 5.1 Other [["tidying up"],{}]']  # nobody waits for the fourth any more


def test_where_the_hook_has_second_thoughts_what_was_set_aside_is_sent():
    class Wavering(Loop):
        def run(self, cursor):
            self.cursor = cursor
            while True:
                step = self.echo(self.cursor)
                while not step.done():
                    heard = self.go.get()
                    if (yield any_of(step, heard)) is heard:
                        self.busy = heard.result()
                self.cursor += 1

        busy = False

        def restart_when_suggested(self):
            return None if self.busy else super().restart_when_suggested()

    story = about_to_restart(Wavering)
    story.signaled('go', True)
    story.respond()
    assert story.decide() == ['activity 4.1 Echo [[3],{}]']
    story.signaled('go', False)
    story.completed(4)
    assert story.decide() == ['activity 5.1 Echo [[4],{}]']  # a signal was read: not a moment to drop a call
    story.completed(5)
    assert story.decide()[-1] == 'continue [[5],{}]'


def test_it_is_not_asked_while_another_branch_stands():
    class Listening(Loop):
        def run(self, cursor):
            self.spawn(self.listens())
            yield from super().run(cursor)

        def listens(self):
            yield self.go.get()

    story = Story(Listening, 0)
    story.decide()
    loops(story, 2)
    story.completed(3)
    assert story.decide() == ['activity 4.1 Echo [[3],{}]']
    story.signaled('go')
    assert story.decide() == []
    story.completed(4)
    assert story.decide()[-1] == 'continue [[4],{}]'


def test_what_it_cannot_start_for_its_rate_continues_and_is_asked_again():
    story = about_to_restart()
    story.respond(refuse={decisions.ContinueAsNew: 'CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED'})
    story.due()
    assert story.decide() == ['activity 4.1 Echo [[3],{}]']
    number = 4
    while story.closed is None:
        story.completed(number)
        story.decide()
        number += 1
    refused = next(event.id for event in story.events if isinstance(event, events.CloseRefused))
    last = [event.id for event in story.events if isinstance(event, events.DecisionStarted)][-1]
    assert refused + 100 <= last < refused + 106
    assert said(story.answer)[-1] == f'continue [[{number - 1}],{{}}]'


def test_a_type_that_does_not_exist_is_reported_and_the_execution_continues(caplog):
    story = about_to_restart()
    story.respond(refuse={decisions.ContinueAsNew: 'WORKFLOW_TYPE_DOES_NOT_EXIST'})
    story.due()
    caplog.clear()
    assert story.decide() == ['activity 4.1 Echo [[3],{}]']
    assert 'WORKFLOW_TYPE_DOES_NOT_EXIST' in caplog.text
    assert 'workflow desk-1, run run-1' in caplog.text


def test_more_than_one_response_holds_is_sent_in_portions():
    class Busy(Loop):
        def run(self, cursor):
            self.cursor = cursor
            while True:
                yield [self.echo(number).timeout(60) for number in range(3)]
                self.cursor += 1

    story = Story(Busy, 0)
    story.decide()
    padded(story)
    for number in (1, 3, 5):
        story.completed(number)
    lines = story.decide(limit=3)
    assert [line.partition(' {')[0] for line in lines[:4]] == [
        'marker genflow.restart',
        'cancel timer 2',
        'cancel timer 4',
        'cancel timer 6',
    ]
    assert lines[-1].startswith('continue')
    story.fired(next(item for item in story.open.values() if item.key.startswith('wake')))
    assert [line.partition(' {')[0] for line in story.decide()] == [
        'marker genflow.restart',
        'cancel timer 6',
        'continue',
    ]
    assert story.closed.how == 'continued'


# replays


def replay(cls, story):
    execution = Execution(Story(cls, 0).spec, workflow_id='desk-1', run_id='run-1')
    try:
        assert execution.advance(story.events) is None
        return execution
    finally:
        execution.close()


def restarted():
    story = Story(Loop, 0)
    story.decide()
    loops(story, 3)
    assert story.closed.how == 'continued'
    return story


class Plain(Desk):
    run = Loop.run


class Declining(Loop):
    def restart_when_suggested(self):
        return None


class Wrong(Loop):
    def restart_when_suggested(self):
        raise ValueError('never asked')


@pytest.mark.parametrize('cls', [Loop, Plain, Declining, Wrong])
def test_a_history_that_ended_so_is_followed_whatever_the_hook_says_now(cls, caplog):
    assert replay(cls, restarted()).closed
    assert caplog.records == []


@pytest.mark.parametrize('cls', [Loop, Plain, Wrong])
def test_a_history_with_a_refused_restart_is_followed_too(cls):
    story = about_to_restart()
    story.signaled('unread', 'x')
    story.respond(refuse={decisions.ContinueAsNew: 'UNHANDLED_DECISION'})
    story.decide()
    assert replay(cls, story).closed


def test_a_history_that_was_decided_without_the_hook_is_followed_with_it():
    story = Story(Plain, 0)
    story.decide()
    loops(story, 9)
    assert replay(Loop, story).closed is False
    story.cls = Loop
    story.spec = Story(Loop, 0).spec
    story.sticky.close()
    story.sticky = story.execution()
    story.completed(10)
    assert story.decide()[-1] == 'continue [[10],{}]'


def test_each_prefix_gives_what_the_rest_shows():
    story = restarted()
    answers = iter(story.answered_with)
    for place, event in enumerate(story.events):
        if isinstance(event, events.DecisionStarted):
            fresh = story.execution()
            assert fresh.advance(story.events[: place + 1]) == next(answers)
            fresh.close()


def test_a_query_after_the_end_sees_the_workflow_as_it_was():
    class Asking(Loop):
        @query
        def where(self):
            return self.cursor

    story = Story(Asking, 0)
    story.decide()
    loops(story, 3)
    execution = story.execution()
    execution.advance(story.events)
    assert execution.query('where') == 3
    execution.close()


class Returning(Desk):
    def run(self, cursor):
        for number in range(cursor, 3):
            yield self.echo(number)
        return self.restart(3)


class Closing(Desk):
    def run(self, cursor):
        for number in range(cursor, 3):
            yield self.echo(number)


class Longer(Loop):
    def run(self, cursor):
        yield self.other('new')
        yield from super().run(cursor)


@pytest.mark.parametrize('cls', [Returning, Closing, Longer])
def test_code_that_does_something_else_is_caught(cls):
    with pytest.raises(NondeterminismError):
        replay(cls, restarted())


@pytest.mark.parametrize('cls', [Loop, Plain])
def test_a_restart_of_the_runs_own_is_not_taken_for_one_of_the_hook(cls):
    story = Story(Returning, 0)
    story.decide()
    loops(story, 3)
    assert story.closed.how == 'continued'
    with pytest.raises(NondeterminismError):
        replay(cls, story)


# hooks that are wrong


def raises(self):
    raise ValueError('broken')


def gives_the_arguments(self):
    return [self.cursor]


def gives_a_generator(self):
    return (number for number in range(3))


def calls_an_activity(self):
    self.other('last words')
    return self.restart(self.cursor)


def sleeps(self):
    self.sleep(5)


def spawns(self):
    self.spawn(self.run(1))


def maps(self):
    self.map(self.echo, [1], limit=1)


def has_a_side_effect(self):
    return self.restart(self.side_effect(lambda: 5))


def takes_a_number(self):
    return self.restart(self.random.random())


def takes_a_uuid(self):
    return self.restart(str(self.uuid4()))


def is_patched(self):
    return self.restart(self.patched('change'))


def sets_a_status(self):
    self.set_status('restarting')
    return self.restart(self.cursor)


def gives_too_much(self):
    return self.restart('x' * 40_000)


def gives_no_json(self):
    return self.restart(object())


def takes_an_argument(self, cursor):
    return self.restart(cursor)


WRONG = {
    raises: r"ValueError\('broken'\)",
    gives_the_arguments: 'returned a list',
    gives_a_generator: 'returned a generator',
    calls_an_activity: 'activity Other v2',
    sleeps: 'timer',
    spawns: r'spawn\(\)',
    maps: r'map\(\)',
    has_a_side_effect: 'side effect',
    takes_a_number: 'random number',
    takes_a_uuid: 'UUID',
    is_patched: "patched\\('change'\\)",
    sets_a_status: r'set_status\(\)',
    gives_too_much: '32,768',
    gives_no_json: 'TypeError',
    takes_an_argument: 'TypeError',
}


@pytest.mark.parametrize('hook', WRONG)
def test_a_wrong_hook_is_reported_once_and_loses_nothing(hook, caplog):
    story = Story(type('Loop', (Loop,), {'restart_when_suggested': hook}), 0)
    story.decide()
    loops(story, 3)
    assert said(story.answer) == ['activity 4.1 Echo [[3],{}]']
    _of_the_kept_execution, of_the_replay = caplog.records
    assert of_the_replay.levelno == logging.WARNING
    assert 'Loop 1 (workflow desk-1, run run-1), 21 events: ' in of_the_replay.message
    assert re.search(WRONG[hook], of_the_replay.message)
    caplog.clear()
    story.completed(4)
    assert alone(story) == ['activity 5.1 Echo [[4],{}]']
    assert caplog.records == []


def test_a_report_in_a_log_quotes_no_payload(caplog):
    story = Story(type('Loop', (Loop,), {'restart_when_suggested': raises}), 0, engine={'shows_payloads': False})
    story.decide()
    loops(story, 3)
    assert 'ValueError' in caplog.text
    assert 'broken' not in caplog.text


def test_near_the_end_of_its_history_the_execution_is_held_until_the_hook_is_mended(monkeypatch):
    monkeypatch.setattr(suggested_restart, 'HELD_FROM', 30)
    cls = type('Loop', (Loop,), {'restart_when_suggested': raises})
    story = Story(cls, 0)
    story.decide()
    loops(story, 4)
    story.completed(5)
    with pytest.raises(DefinitionError, match='broken'):
        story.start()
    cls.restart_when_suggested = Loop.restart_when_suggested
    story.time_out_decision()
    assert story.decide()[-1] == 'continue [[5],{}]'


def yields(self):
    yield self.echo()


async def awaits(self):
    return self.restart()


@pytest.mark.parametrize('hook', [yields, awaits, True, None])
def test_a_hook_that_is_no_plain_method_is_refused_when_the_class_is_made(hook):
    with pytest.raises(DefinitionError, match='restart_when_suggested'):
        type('Loop', (Loop,), {'restart_when_suggested': hook})


def test_a_proxy_may_not_have_its_name():
    with pytest.raises(DefinitionError, match='restart_when_suggested'):
        type('Loop', (Desk,), {'restart_when_suggested': ActivityProxy('Echo', '1')})


def test_the_arguments_of_any_restart_have_to_fit_into_an_input():
    (line,) = Story(lambda self: self.restart('x' * 32_764)).decide()
    assert line.startswith('fail PayloadTooLarge: the input of the restart has 32,77')


# at full length


@pytest.mark.thorough
def test_ten_thousand_events(monkeypatch):
    """Nothing lowered: cold, kept and evicted executions agree where it begins, and nothing is lost."""
    monkeypatch.undo()

    class Pages(Desk):
        def run(self, page, notes=()):
            self.page, self.notes = page, list(notes)
            while True:
                yield self.echo(self.page).timeout(3600)
                self.page += 1
                self.notes += self.go.drain()

        def restart_when_suggested(self):
            return self.restart(self.page, self.notes)

    story = Story(Pages, 1, evict=lambda: True)
    pages = 0

    def step(decide):
        nonlocal pages
        pages += 1
        story.completed(2 * pages - 1)
        if pages % 500 == 0:
            story.signaled('go', pages)
        story.signaled('stop', pages) if pages % 1000 == 0 else None
        return decide()

    story.decide()
    while story.events[-1].id < 9_980:
        step(lambda: alone(story))
    while story.closed is None:
        step(story.decide)
    last = [event.id for event in story.events if isinstance(event, events.DecisionStarted)][-1]
    assert 10_000 <= last < 10_008
    notes = [number for number in range(1, pages + 1) if number % 500 == 0]
    assert story.closed.result == encode(
        {
            'genflow.restart': 1,
            'input': encode([[pages + 1, notes], {}]),
            'signals': [['stop', str(number)] for number in notes if number % 1000 == 0],
        }
    )
    second = Story(Pages, input=story.closed.result)
    assert second.decide()[0] == f'activity 1.1 Echo [[{pages + 1}],{{}}]'
