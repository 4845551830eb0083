"""Histories as boto3 gives them, for the benchmarks: sequential and parallel activities."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
ACTIVITY = {'name': 'Step', 'version': '1'}


class Recorder:
    """Appends events with the ids and times that SWF would give them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, event_type: str, **attributes: Any) -> int:
        event_id = len(self.events) + 1
        member = f'{event_type[0].lower()}{event_type[1:]}EventAttributes'
        time = START + timedelta(milliseconds=event_id)
        self.events.append({'eventTimestamp': time, 'eventType': event_type, 'eventId': event_id, member: attributes})
        return event_id

    def begin(self, count: int) -> None:
        self.add(
            'WorkflowExecutionStarted',
            childPolicy='TERMINATE',
            executionStartToCloseTimeout='3600',
            taskStartToCloseTimeout='60',
            taskList={'name': 'list'},
            workflowType={'name': 'Steps', 'version': '1'},
            parentInitiatedEventId=0,
            input=f'[[{count}],{{}}]',
        )

    def decide(self) -> int:
        """A decision task from scheduled to completed; the id of its completion."""
        scheduled = self.ask()
        return self.answer(scheduled, self.start(scheduled))

    def ask(self) -> int:
        return self.add('DecisionTaskScheduled', taskList={'name': 'list'}, startToCloseTimeout='60')

    def start(self, scheduled: int) -> int:
        return self.add('DecisionTaskStarted', scheduledEventId=scheduled, identity='worker')

    def answer(self, scheduled: int, started: int) -> int:
        return self.add('DecisionTaskCompleted', scheduledEventId=scheduled, startedEventId=started)

    def schedule(self, number: int, decision: int) -> int:
        return self.add(
            'ActivityTaskScheduled',
            activityType=ACTIVITY,
            activityId=f'{number}.1',
            input=f'[[{number}],{{}}]',
            taskList={'name': 'list'},
            scheduleToStartTimeout='120',
            scheduleToCloseTimeout='420',
            startToCloseTimeout='300',
            heartbeatTimeout='NONE',
            decisionTaskCompletedEventId=decision,
        )

    def perform(self, number: int, scheduled: int) -> None:
        started = self.add('ActivityTaskStarted', scheduledEventId=scheduled, identity='worker')
        self.add('ActivityTaskCompleted', scheduledEventId=scheduled, startedEventId=started, result=str(number))

    def end(self, decision: int, count: int) -> None:
        self.add('WorkflowExecutionCompleted', result=str(count), decisionTaskCompletedEventId=decision)


def sequential(count: int) -> list[dict[str, Any]]:
    """One activity after another: six events each."""
    recorder = Recorder()
    recorder.begin(count)
    decision = recorder.decide()
    for number in range(1, count + 1):
        recorder.perform(number, recorder.schedule(number, decision))
        decision = recorder.decide()
    recorder.end(decision, count)
    return recorder.events


def parallel(count: int) -> list[dict[str, Any]]:
    """Activities a thousand at a time, SWF's limit on open ones, each closing with a decision of its own."""
    recorder = Recorder()
    recorder.begin(count)
    decision = recorder.decide()
    waiting = [(number, recorder.schedule(number, decision)) for number in range(1, min(count, 1000) + 1)]
    following = len(waiting) + 1
    for number, scheduled in iter(lambda: waiting.pop(0), None):
        recorder.perform(number, scheduled)
        decision = recorder.decide()
        if following <= count:
            waiting.append((following, recorder.schedule(following, decision)))
            following += 1
        if not waiting:
            break
    recorder.end(decision, count)
    return recorder.events
