"""A second, slower opinion on a history: what is open, event by event, each held to be possible where it stands."""

from __future__ import annotations

from collections import Counter

import attrs

from genflow.local.requests.model import method_name

CLOSING = {
    'WorkflowExecutionCompleted': 'COMPLETED',
    'WorkflowExecutionFailed': 'FAILED',
    'WorkflowExecutionCanceled': 'CANCELED',
    'WorkflowExecutionTerminated': 'TERMINATED',
    'WorkflowExecutionTimedOut': 'TIMED_OUT',
    'WorkflowExecutionContinuedAsNew': 'CONTINUED_AS_NEW',
}
# Nothing that a decider must hear of.
QUIET = {
    'ActivityTaskScheduled',
    'ActivityTaskStarted',
    'ActivityTaskCancelRequested',
    'MarkerRecorded',
    'TimerStarted',
    'TimerCanceled',
    'StartChildWorkflowExecutionInitiated',
    'SignalExternalWorkflowExecutionInitiated',
    'RequestCancelExternalWorkflowExecutionInitiated',
    'LambdaFunctionScheduled',
    'LambdaFunctionStarted',
}


def attributes(event):
    """The attributes of an event, which may have been given other members too."""
    (found,) = (value for name, value in event.items() if name.endswith('EventAttributes'))
    return found


@attrs.define
class Reference:
    """The state of an execution as its history tells it.

    `decision` and `queued` are the DecisionTaskScheduled events of the open decision task and of the one behind it,
    `started` the DecisionTaskStarted, each None while there is none.
    """

    last: int = 0
    date: object = None
    closed: str | None = None
    decision: dict | None = None
    queued: dict | None = None
    started: int | None = None
    previous: int = 0
    responding: bool = False
    deaf: str | None = None
    activities: dict = attrs.field(factory=dict)
    timers: dict = attrs.field(factory=dict)
    children: dict = attrs.field(factory=dict)
    signals: Counter = attrs.field(factory=Counter)

    @classmethod
    def of(cls, events):
        found = cls()
        for event in events:
            found.add(event)
        assert found.deaf is None, f'no decision task follows {found.deaf}'
        return found

    def add(self, event):
        """One more event."""
        assert self.closed is None, f'{event} after the end'
        assert event['eventId'] == self.last + 1
        assert self.date is None or event['eventTimestamp'] >= self.date
        self.last, self.date = event['eventId'], event['eventTimestamp']
        kind, facts = event['eventType'], attributes(event)
        if 'decisionTaskCompletedEventId' not in facts and kind != 'DecisionTaskScheduled':
            self._end_of_response()
        rule = getattr(self, f'on_{method_name(kind)}', None)
        if rule:
            rule(event, facts)
        if kind in CLOSING:
            self.closed, self.deaf = CLOSING[kind], None
        elif not kind.startswith('DecisionTask') and kind not in QUIET:
            self._must_be_heard(event)

    def _must_be_heard(self, event):
        """Within a response the next decision task comes at its end; otherwise at once, unless there is one."""
        waiting = self.decision is not None and self.started is None
        if not waiting and self.queued is None:
            self.deaf = f'event {event["eventId"]}, {event["eventType"]}'

    def _end_of_response(self):
        assert self.deaf is None, f'no decision task follows {self.deaf}'
        self.responding = False

    # Decision tasks.

    def on_decision_task_scheduled(self, event, facts):
        self.deaf = None
        if self.decision is None:
            self.decision = event
        else:
            assert self.started is not None, 'a second decision task waits'
            assert self.queued is None, 'a third decision task'
            self.queued = event

    def on_decision_task_started(self, event, facts):
        assert self.started is None
        assert facts['scheduledEventId'] == self.decision['eventId']
        self.started = event['eventId']

    def on_decision_task_completed(self, event, facts):
        assert (facts['scheduledEventId'], facts['startedEventId']) == (self.decision['eventId'], self.started)
        self.previous, self.responding = self.started, True
        self._next()

    def on_decision_task_timed_out(self, event, facts):
        assert facts['scheduledEventId'] == self.decision['eventId']
        assert facts['startedEventId'] == (self.started or 0)
        self._next()
        if self.decision is None:
            self.deaf = f'event {event["eventId"]}, DecisionTaskTimedOut'

    def _next(self):
        self.decision, self.queued, self.started = self.queued, None, None

    # Activities.

    def on_activity_task_scheduled(self, event, facts):
        assert facts['activityId'] not in {attributes(open_)['activityId'] for open_ in self.activities.values()}
        self.activities[event['eventId']] = {**event, 'started': 0, 'cancel': 0}

    def on_activity_task_started(self, event, facts):
        activity = self.activities[facts['scheduledEventId']]
        assert activity['started'] == 0, 'started twice'
        activity['started'] = event['eventId']

    def on_activity_task_cancel_requested(self, event, facts):
        (activity,) = (
            open_ for open_ in self.activities.values() if attributes(open_)['activityId'] == facts['activityId']
        )
        activity['cancel'] = event['eventId']

    def _activity_ended(self, event, facts):
        activity = self.activities.pop(facts['scheduledEventId'])
        assert facts['startedEventId'] == activity['started']
        if 'latestCancelRequestedEventId' in facts:
            assert facts['latestCancelRequestedEventId'] == activity['cancel'] != 0

    on_activity_task_completed = on_activity_task_failed = on_activity_task_canceled = _activity_ended
    on_activity_task_timed_out = _activity_ended

    # Timers.

    def on_timer_started(self, event, facts):
        assert facts['timerId'] not in self.timers
        self.timers[facts['timerId']] = event['eventId']

    def _timer_ended(self, event, facts):
        assert self.timers.pop(facts['timerId']) == facts['startedEventId']

    on_timer_fired = on_timer_canceled = _timer_ended

    # Children.

    def on_start_child_workflow_execution_initiated(self, event, facts):
        self.children[event['eventId']] = 0

    def on_child_workflow_execution_started(self, event, facts):
        assert self.children[facts['initiatedEventId']] == 0
        self.children[facts['initiatedEventId']] = event['eventId']

    def on_start_child_workflow_execution_failed(self, event, facts):
        if facts['initiatedEventId']:
            assert self.children.pop(facts['initiatedEventId']) == 0

    def _child_ended(self, event, facts):
        assert self.children.pop(facts['initiatedEventId']) == facts['startedEventId'] != 0

    on_child_workflow_execution_completed = on_child_workflow_execution_failed = _child_ended
    on_child_workflow_execution_canceled = on_child_workflow_execution_timed_out = _child_ended
    on_child_workflow_execution_terminated = _child_ended

    def on_workflow_execution_signaled(self, event, facts):
        self.signals[facts['signalName']] += 1

    # What the service says in other ways.

    @property
    def open_counts(self):
        return {
            'openActivityTasks': len(self.activities),
            'openDecisionTasks': int(self.decision is not None and self.started is None),
            'openTimers': len(self.timers),
            'openChildWorkflowExecutions': len(self.children),
            'openLambdaFunctions': 0,
        }

    def waiting(self, kind):
        """(task list, priority, date) of the tasks that can be polled."""
        if self.closed:
            return []
        tasks = [activity for activity in self.activities.values() if not activity['started']]
        if kind == 'decision':
            tasks = [self.decision] if self.decision and self.started is None else []
        found = [(attributes(task), task['eventTimestamp']) for task in tasks]
        return [(facts['taskList']['name'], int(facts.get('taskPriority', 0)), date) for facts, date in found]
