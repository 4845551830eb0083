"""Histories read as a story, are values, have SWF's shape, and refuse what SWF could not have recorded."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import botocore.session
import pytest

from genflow import DefinitionError, NondeterminismError, Workflow, WorkflowProxy
from genflow.core.model.decisions import CompleteWorkflow, ScheduleActivity
from genflow.testing import History, ImpossibleStory, decisions
from tests.testing.orders import Declined, Everything, Order, Patient

START = datetime(2000, 1, 1, tzinfo=timezone.utc)
MODEL = botocore.session.get_session().get_service_model('swf').shape_for('HistoryEvent')


def types(history):
    return [event['eventType'] for event in history.events]


def last(history):
    event = history.events[-1]
    (said,) = (value for name, value in event.items() if name.endswith('EventAttributes'))
    return event['eventType'], said


def test_a_story_has_the_events_that_swf_records():
    story = History(Order, 1).decide().completed(Order.charge.task(1), 'ok').signaled('approve', True).decide()
    story = story.completed('ship', 'gone').decide()
    assert types(story) == [
        'WorkflowExecutionStarted',
        'DecisionTaskScheduled',
        'DecisionTaskStarted',
        'DecisionTaskCompleted',
        'ActivityTaskScheduled',
        'ActivityTaskStarted',
        'ActivityTaskCompleted',
        'DecisionTaskScheduled',
        'WorkflowExecutionSignaled',  # no second decision task: one waits
        'DecisionTaskStarted',
        'DecisionTaskCompleted',
        'ActivityTaskScheduled',
        'ActivityTaskStarted',
        'ActivityTaskCompleted',
        'DecisionTaskScheduled',
        'DecisionTaskStarted',
        'DecisionTaskCompleted',
        'WorkflowExecutionCompleted',
    ]
    assert last(story) == ('WorkflowExecutionCompleted', {'result': '"gone"', 'decisionTaskCompletedEventId': 17})
    assert story.closed == 'WorkflowExecutionCompleted'


def test_ids_run_from_one_and_times_have_a_zone():
    events = History(Order, 1).decide().completed('charge', 'ok').events
    assert [event['eventId'] for event in events] == list(range(1, len(events) + 1))
    assert {event['eventTimestamp'] for event in events} == {START}


def test_events_refer_to_one_another():
    story = History(Order, 1).decide().completed('charge', 'ok')
    assert story.events[6]['activityTaskCompletedEventAttributes'] == {
        'scheduledEventId': 5,
        'startedEventId': 6,
        'result': '"ok"',
    }


def test_each_step_gives_a_new_history():
    begun = History(Order, 1)
    one, other = begun.decide().completed('charge', 'a'), begun.decide().completed('charge', 'b')
    assert types(begun) == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
    assert one != other
    assert one == begun.decide().completed('charge', 'a')


def test_the_events_belong_to_who_requested_them():
    story = History(Order, 1)
    story.events[0]['workflowExecutionStartedEventAttributes']['taskList']['name'] = 'changed'
    assert story.events[0]['workflowExecutionStartedEventAttributes']['taskList'] == {'name': 'default'}


def test_a_history_cannot_be_changed():
    with pytest.raises(AttributeError):
        History(Order, 1).now = START


def test_decisions_are_values():
    assert decisions(Order, History(Order, 1)) == [ScheduleActivity('1.1', 'Charge', 'v1', '[[1],{}]')]
    story = History(Order, 1).decide().completed('charge', 'ok').signaled(Order.approve, False)
    assert decisions(Order, story) == [CompleteWorkflow('"refused"')]


def test_a_task_is_named_by_description_attribute_proxy_or_id():
    story = History(Order, 1).decide()
    named = [Order.charge.task(1), Order.charge.task(1).timeout(9), 'charge', Order.charge, '1.1']
    assert all(story.completed(name, 'ok') == story.completed('charge', 'ok') for name in named)


def test_of_equal_tasks_the_oldest_is_meant():
    class Twice(Workflow):
        echo = Order.charge

        def run(self):
            return (yield [self.echo(1), self.echo(1)])

    story = History(Twice).decide().completed(Twice.echo.task(1), 'first').completed(Twice.echo.task(1), 'second')
    assert decisions(Twice, story) == [CompleteWorkflow('["first","second"]')]


def test_every_kind_of_task_can_settle_well():
    story = History(Everything).decide()
    story = story.completed(Everything.work.task('a'), 1).completed(Everything.child.task('b'), 2)
    story = story.completed(Everything.resize.task({'size': 3}), 3).fired(Everything().sleep(90))
    story = story.delivered(Everything().external('other').signal('hello', 'c'))
    story = story.delivered(Everything().external('third').cancel())
    assert story.open_tasks == []
    assert decisions(Everything, story) == [CompleteWorkflow('[1,2,3,null,null,null]')]


def test_every_kind_of_task_can_settle_badly():
    story = History(Everything).decide()
    story = story.failed('work', ValueError('no')).failed('child', 'broken').failed('resize', 'UnhandledError', '{}')
    story = story.fired('4').refused(Everything().external('other').signal('hello', 'c'))
    story = story.refused(Everything().external('third').cancel())
    assert decisions(Everything, story) == [
        CompleteWorkflow('["ActivityFailed","ChildFailed","LambdaFailed",null,"SignalFailed","CancelFailed"]')
    ]


def test_every_kind_of_task_can_run_out_of_time():
    story = History(Everything).decide().timed_out('work').timed_out('child').timed_out('resize').fired('4')
    story = story.delivered('5').delivered('6')
    assert decisions(Everything, story) == [
        CompleteWorkflow('["ActivityTimedOut","ChildTimedOut","LambdaTimedOut",null,null,null]')
    ]


def test_children_and_functions_can_be_refused_later_on():
    story = History(Everything).decide().canceled('work').refused('child').refused('resize').fired('4')
    story = story.delivered('5').delivered('6')
    assert decisions(Everything, story) == [
        CompleteWorkflow('["ActivityCanceled","ScheduleFailed","LambdaFailed",null,null,null]')
    ]


@pytest.mark.parametrize(
    ('end', 'name'),
    [('canceled', 'ChildCanceled'), ('terminated', 'ChildTerminated')],
)
def test_a_child_is_ended_by_others(end, name):
    class Parent(Workflow):
        child = WorkflowProxy(name='Child', version='2', retry=0)

        def run(self):
            try:
                yield self.child(1)
            except Exception as error:
                return type(error).__name__

    story = getattr(History(Parent).decide(), end)('child')
    assert decisions(Parent, story) == [CompleteWorkflow(f'"{name}"')]


def test_an_exception_travels_as_a_worker_sends_it():
    story = History(Declined, 1).decide().failed('charge', LookupError('no funds'))
    assert decisions(Declined, story) == [CompleteWorkflow('"declined: LookupError: no funds"')]


# time


def test_time_stands_still_until_it_is_told_to_pass():
    assert History(Order, 1).decide().now == START
    assert History(Order, 1).after(days=3).decide().now == START + timedelta(days=3)


def test_a_timer_fires_at_its_time():
    story = History(Everything).decide()
    assert story.fired('4').now == START + timedelta(seconds=90)
    assert story.after(seconds=200).fired('4').now == START + timedelta(seconds=200)


@pytest.mark.parametrize(
    ('timeout_type', 'seconds'),
    [('START_TO_CLOSE', 60), ('SCHEDULE_TO_START', 10), ('SCHEDULE_TO_CLOSE', 70), ('HEARTBEAT', 30)],
)
def test_an_activity_times_out_at_its_deadline(timeout_type, seconds):
    assert History(Everything).decide().timed_out('work', timeout_type).now == START + timedelta(seconds=seconds)


def test_a_limit_counts_from_the_start_of_the_activity():
    story = History(Everything).decide().after(seconds=5).started('work').timed_out('work')
    assert story.now == START + timedelta(seconds=65)


def test_a_deadline_that_is_past_moves_nothing():
    story = History(Everything).decide().after(seconds=50).timed_out('work', 'SCHEDULE_TO_START')
    assert story.now == START + timedelta(seconds=50)


# deciding


def test_what_arrives_while_a_decision_is_made_is_input_of_the_next():
    story = History(Order, 1).decide().completed('charge', 'ok').decision_started().signaled('approve', False)
    story = story.decide()
    assert types(story)[-4:] == [
        'DecisionTaskStarted',
        'WorkflowExecutionSignaled',
        'DecisionTaskScheduled',
        'DecisionTaskCompleted',
    ]
    assert decisions(Order, story) == [CompleteWorkflow('"refused"')]


def test_a_close_is_not_accepted_while_something_is_unhandled():
    story = History(Declined, 1).decide().completed('charge', 'ok').decision_started().signaled('late').decide()
    assert last(story) == (
        'CompleteWorkflowExecutionFailed',
        {'cause': 'UNHANDLED_DECISION', 'decisionTaskCompletedEventId': 12},
    )
    assert story.decide().closed == 'WorkflowExecutionCompleted'


def test_a_decision_that_timed_out_is_made_again():
    story = History(Order, 1).decision_timed_out()
    assert types(story)[-3:] == ['DecisionTaskStarted', 'DecisionTaskTimedOut', 'DecisionTaskScheduled']
    assert story.now == START + timedelta(seconds=60)
    assert types(story.decide())[-1] == 'ActivityTaskScheduled'


def test_swf_may_refuse_a_decision():
    story = History(Order, 1).decide(refuse={Order.charge.task(1): 'ACTIVITY_TYPE_DOES_NOT_EXIST'})
    assert types(story)[-2:] == ['ScheduleActivityTaskFailed', 'DecisionTaskScheduled']
    assert story.decide().closed == 'WorkflowExecutionFailed'


def test_refusing_what_is_not_decided_is_an_error():
    with pytest.raises(ImpossibleStory, match='ship cannot be refused'):
        History(Order, 1).decide(refuse={'ship': 'ACTIVITY_TYPE_DOES_NOT_EXIST'})


def test_a_cancelled_workflow_asks_to_cancel_what_it_has():
    story = History(Patient).decide().cancel_requested().decide()
    assert types(story)[-2:] == ['ActivityTaskCancelRequested', 'WorkflowExecutionCanceled']
    completed = story.events[-3]['decisionTaskCompletedEventAttributes']
    assert completed['executionContext'] == '"stopping"'


def test_swf_cancels_an_activity_that_nobody_started():
    class Racing(Workflow):
        work = Order.charge
        stop = Order.approve

        def run(self):
            work = self.work('a')
            yield self.stop.get()
            work.cancel()
            yield self.stop.get()

    asked = History(Racing).decide().signaled('approve').decide()
    assert last(asked)[0] == 'ActivityTaskCancelRequested'
    canceled = asked.canceled('work').events[-2]['activityTaskCanceledEventAttributes']
    assert canceled == {'scheduledEventId': 5, 'startedEventId': 0, 'latestCancelRequestedEventId': 10}
    by_worker = asked.started('work').canceled('work', 'x').events[-2]['activityTaskCanceledEventAttributes']
    assert by_worker == {
        'scheduledEventId': 5,
        'startedEventId': 11,
        'latestCancelRequestedEventId': 10,
        'details': 'x',
    }


def test_a_restart_continues_in_the_next_run():
    class Pages(Workflow):
        def run(self, page):
            return self.restart(page + 1)

    story = History(Pages, 1).given(tags=['a']).decide()
    assert story.closed == 'WorkflowExecutionContinuedAsNew'
    said = story.next_run().events[0]['workflowExecutionStartedEventAttributes']
    assert (said['input'], said['tagList'], said['continuedExecutionRunId']) == ('[[2],{}]', ['a'], 'run-1')


def test_code_that_does_not_follow_the_story_is_reported():
    story = History(Order, 1).decide().completed('charge', 'ok')
    with pytest.raises(NondeterminismError, match='Charge'):
        decisions(Renamed, story)


class Renamed(Workflow):
    charge = Order.ship

    def run(self, order):
        yield self.charge(order)


Renamed.__name__ = 'Order'  # a class that is not decorated stands for version 1 of its name


# what cannot be


def refusals():
    begun, decided = History(Order, 1), History(Order, 1).decide()
    done = decided.completed('charge', 'ok').signaled('approve', False).decide()
    return {
        'charge.*cannot be completed: it is not open.*Open are: nothing': lambda: begun.completed('charge'),
        "Ship v1.*not open.*Open are: activity '1.1' Charge v1": lambda: decided.completed(Order.ship.task('x')),
        'Charge v1.*2.*not open': lambda: decided.completed(Order.charge.task(2)),
        'nothing can be signaled after event 12, WorkflowExecutionCompleted': lambda: done.signaled('approve'),
        'nothing can be decided on after event 12': lambda: done.decide(),
        'nothing to decide: no decision task is scheduled after event 5': lambda: decided.decide(),
        'no decision task is scheduled, so none can time out': lambda: decided.decision_timed_out(),
        'cannot be fired: an activity can be completed': lambda: decided.fired('charge'),
        'cannot be refused: it was started in event': lambda: (
            History(Everything).decide().started('child').refused('child')
        ),
        'was started in event 6 already': lambda: decided.started('charge').started('charge'),
        'event 6, so it cannot time out': lambda: decided.started('charge').timed_out('charge', 'SCHEDULE_TO_START'),
        'by HEARTBEAT: its heartbeatTimeout is NONE': lambda: decided.timed_out('charge', 'HEARTBEAT'),
        "no time-out 'SOON'; it has SCHEDULE_TO_START": lambda: decided.timed_out('charge', 'SOON'),
        'is not a task that SWF knows': lambda: decided.completed(Order().approve.get()),
        '7 names no task': lambda: decided.completed(7),
        'with the task .* as an argument': lambda: decided.completed(Order.ship.task(Order.charge.task(1))),
        'time cannot pass by': lambda: begun.after(days=-1),
        'cannot change after event 5': lambda: decided.given(tags=['a']),
        'there is no next run: the execution is open': lambda: decided.next_run(),
        'started in event 3 already': lambda: begun.decision_started().decision_started(),
    }


@pytest.mark.parametrize(
    ('said', 'story'), refusals().items(), ids=lambda value: value if isinstance(value, str) else ''
)
def test_an_impossible_story_is_refused(said, story):
    with pytest.raises(ImpossibleStory, match=said):
        story()


def test_an_unknown_option_is_refused():
    with pytest.raises(DefinitionError, match="no option 'colour'"):
        History(Order, 1).given(colour='red')


# the shape


def stories():
    everything = History(Everything).given(tags=['a'], priority=3, parent=('p', 'r')).decide()
    settled = everything.completed('work', 1).completed('child', 2).completed('resize', 3).fired('4').delivered('5')
    failed = everything.failed('work').failed('child').failed('resize').refused('5').refused('6')
    late = everything.timed_out('work', 'SCHEDULE_TO_START').timed_out('child').timed_out('resize').timed_out()
    refused = everything.canceled('work', 'x').refused('child').refused('resize', message='no').terminated(reason='x')
    yield from (settled.delivered('6').decide(), failed, late, refused)
    yield everything.started('child').canceled('child')
    yield everything.terminated('child')
    yield History(Everything).decide(
        refuse={
            'work': 'OPEN_ACTIVITIES_LIMIT_EXCEEDED',
            'child': 'OPEN_CHILDREN_LIMIT_EXCEEDED',
            'resize': 'OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED',
            '4': 'OPEN_TIMERS_LIMIT_EXCEEDED',
        }
    )
    yield History(Patient).decide().cancel_requested('CHILD_POLICY_APPLIED').decide()
    yield History(Declined, 1).decide().failed('charge').decision_started().signaled('x').decide().decide()
    yield History(Order, 1).decision_timed_out()


PYTHON = {'string': str, 'long': int, 'structure': dict, 'list': list}


@pytest.mark.parametrize('story', list(stories()), ids=lambda story: types(story)[-1])
def test_each_event_has_the_shape_of_swfs_model(story):
    for event in story.events:
        member = f'{event["eventType"][0].lower()}{event["eventType"][1:]}EventAttributes'
        shape = MODEL.members[member]
        assert set(event) == {'eventTimestamp', 'eventType', 'eventId', member}
        assert set(event[member]) <= set(shape.members)
        assert set(shape.required_members) <= set(event[member])
        for name, value in event[member].items():
            assert isinstance(value, PYTHON[shape.members[name].type_name])
            assert value in (getattr(shape.members[name], 'enum', None) or [value])
