"""How each kind of SWF event dict becomes an engine event: one maker of readers for each shape.

A maker is given the name of the member that holds the event's attributes, and what differs between the types that
share its shape. The reader it makes runs once for each event of a cold replay: members are looked up directly
(``.get`` only where SWF may leave one out), values are built by position, and the makers of the most frequent readers
look their class up once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from genflow.core.model import events as core
from genflow.swf.wire.timestamps import utc

Reader = Callable[[Mapping[str, Any]], 'core.Event | None']


def workflow_started(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.WorkflowStarted:
        said = event[member]
        parent = said.get('parentWorkflowExecution') or {}
        return core.WorkflowStarted(
            event['eventId'],
            utc(event['eventTimestamp']),
            said['workflowType']['name'],
            said['workflowType']['version'],
            said.get('input'),
            said['taskList']['name'],
            said.get('childPolicy'),
            _seconds(said.get('executionStartToCloseTimeout')),
            _seconds(said.get('taskStartToCloseTimeout')),
            _priority(said.get('taskPriority')),
            tuple(tag for tag in said.get('tagList') or () if tag is not None),  # SWF keeps nulls that were sent
            said.get('lambdaRole'),
            parent.get('workflowId'),
            parent.get('runId'),
            said.get('continuedExecutionRunId'),
        )

    return read


def _seconds(text: str | None) -> float | None:
    return text if text is None else math.inf if text == 'NONE' else int(text)


def _priority(text: str | None) -> int | None:
    return int(text) if text else None


def decision_started(member: str) -> Reader:
    make = core.DecisionStarted
    return lambda event: make(event['eventId'], utc(event['eventTimestamp']))


def decision_completed(member: str) -> Reader:
    make = core.DecisionCompleted
    return lambda event: make(event['eventId'], event[member]['startedEventId'])


def decision_timed_out(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.DecisionTimedOut | None:
        # A task that waited too long on a sticky list (SCHEDULE_TO_START) was never started: nobody saw any input.
        return core.DecisionTimedOut(event['eventId']) if event[member].get('startedEventId') else None

    return read


def signaled(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Signaled:
        said = event[member]
        return core.Signaled(event['eventId'], said['signalName'], said.get('input'))

    return read


def cancel_requested(member: str) -> Reader:
    return lambda event: core.CancelRequested(event['eventId'], event[member].get('cause'))


def completed(member: str, ref: str) -> Reader:
    make = core.Completed

    def read(event: Mapping[str, Any]) -> core.Completed:
        said = event[member]
        return make(event['eventId'], said[ref], said.get('result'))

    return read


def failed(member: str, ref: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Failed:
        said = event[member]
        return core.Failed(event['eventId'], said[ref], said.get('reason'), said.get('details'))

    return read


def timed_out(member: str, ref: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.TimedOut:
        said = event[member]
        return core.TimedOut(
            event['eventId'], said[ref], said.get('timeoutType', 'START_TO_CLOSE'), said.get('details')
        )

    return read


def canceled(member: str, ref: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Canceled:
        said = event[member]
        return core.Canceled(event['eventId'], said[ref], said.get('details'))

    return read


def terminated(member: str, ref: str) -> Reader:
    return lambda event: core.Terminated(event['eventId'], event[member][ref])


def timer_fired(member: str) -> Reader:
    return lambda event: core.TimerFired(event['eventId'], event[member]['startedEventId'])


def delivered(member: str) -> Reader:
    return lambda event: core.Delivered(event['eventId'], event[member]['initiatedEventId'])


def child_started(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.ChildStarted:
        said = event[member]
        execution = said['workflowExecution']
        return core.ChildStarted(
            event['eventId'], said['initiatedEventId'], execution['workflowId'], execution['runId']
        )

    return read


def undelivered(member: str, ref: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Undelivered:
        said = event[member]
        return core.Undelivered(event['eventId'], said[ref], said['cause'], said.get('message'))

    return read


def undelivered_or_refused(member: str, kind: str) -> Reader:
    """A message that the decider is not permitted to send has no Initiated event to refer to."""
    refused_later = undelivered(member, 'initiatedEventId')

    def read(event: Mapping[str, Any]) -> core.Refused | core.Undelivered:
        said = event[member]
        if said.get('initiatedEventId'):
            return refused_later(event)  # type: ignore[return-value]  # the reader above makes nothing else
        return core.Refused(
            event['eventId'],
            said['decisionTaskCompletedEventId'],
            kind,
            said['workflowId'],
            said['cause'],
            said.get('control'),
        )

    return read


def child_failed_to_start(member: str) -> Reader:
    """A child refused at once has no Initiated event to refer to; one whose workflow id is taken has."""
    refused_later = undelivered(member, 'initiatedEventId')

    def read(event: Mapping[str, Any]) -> core.Refused | core.Undelivered:
        said = event[member]
        if said.get('initiatedEventId'):
            return refused_later(event)  # type: ignore[return-value]  # the reader above makes nothing else
        return core.Refused(
            event['eventId'],
            said['decisionTaskCompletedEventId'],
            'child',
            said['workflowId'],
            said['cause'],
            said.get('control'),
        )

    return read


def activity_scheduled(member: str) -> Reader:
    make = core.ActivityScheduled

    def read(event: Mapping[str, Any]) -> core.ActivityScheduled:
        said = event[member]
        kind = said['activityType']
        return make(
            event['eventId'],
            said['decisionTaskCompletedEventId'],
            said['activityId'],
            kind['name'],
            kind['version'],
            said.get('input'),
        )

    return read


def child_initiated(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.ChildInitiated:
        said = event[member]
        kind = said['workflowType']
        return core.ChildInitiated(
            event['eventId'],
            said['decisionTaskCompletedEventId'],
            said['workflowId'],
            kind['name'],
            kind['version'],
            said.get('input'),
            said.get('control'),
        )

    return read


def timer_started(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.TimerStarted:
        said = event[member]
        return core.TimerStarted(
            event['eventId'],
            said['decisionTaskCompletedEventId'],
            said['timerId'],
            int(said['startToFireTimeout']),
            said.get('control'),
        )

    return read


def lambda_scheduled(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.LambdaScheduled:
        said = event[member]
        return core.LambdaScheduled(
            event['eventId'], said['decisionTaskCompletedEventId'], said['id'], said['name'], said.get('input')
        )

    return read


def signal_initiated(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.SignalInitiated:
        said = event[member]
        return core.SignalInitiated(
            event['eventId'],
            said['decisionTaskCompletedEventId'],
            said['workflowId'],
            said['signalName'],
            said.get('runId'),
            said.get('input'),
            said.get('control'),
        )

    return read


def cancel_initiated(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.CancelInitiated:
        said = event[member]
        return core.CancelInitiated(
            event['eventId'],
            said['decisionTaskCompletedEventId'],
            said['workflowId'],
            said.get('runId'),
            said.get('control'),
        )

    return read


def activity_cancel_requested(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.ActivityCancelRequested:
        said = event[member]
        return core.ActivityCancelRequested(event['eventId'], said['decisionTaskCompletedEventId'], said['activityId'])

    return read


def timer_canceled(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.TimerCanceled:
        said = event[member]
        return core.TimerCanceled(event['eventId'], said['decisionTaskCompletedEventId'], said['timerId'])

    return read


def marker_recorded(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.MarkerRecorded:
        said = event[member]
        return core.MarkerRecorded(
            event['eventId'], said['decisionTaskCompletedEventId'], said['markerName'], said.get('details')
        )

    return read


def refused(member: str, kind: str, key: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Refused:
        said = event[member]
        return core.Refused(event['eventId'], said['decisionTaskCompletedEventId'], kind, said[key], said['cause'])

    return read


def close_refused(member: str, how: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.CloseRefused:
        said = event[member]
        return core.CloseRefused(event['eventId'], said['decisionTaskCompletedEventId'], how, said['cause'])

    return read


def closed(member: str, how: str, result: str = 'result') -> Reader:
    def read(event: Mapping[str, Any]) -> core.Closed:
        said = event[member]
        return core.Closed(
            event['eventId'],
            said.get('decisionTaskCompletedEventId'),
            how,
            said.get(result),
            said.get('reason', said.get('cause')),  # a child policy or the event limit terminates without a reason
            said.get('details'),
            said.get('newExecutionRunId'),
        )

    return read
