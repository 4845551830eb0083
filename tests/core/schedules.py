"""Schedules of events as values, and the stories that they tell of programs.

A schedule is bytes, read one by one wherever there is a choice; where it ends every choice is the first, which is the
one that leads on, so every story ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from hypothesis import strategies as st

from genflow.core.model import decisions, events
from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.core.payloads.hooks import encode
from genflow.testing.explorer.playing.items import Item

from .programs import ASKED, Interpreter
from .story import Story

SCHEDULES = st.binary(min_size=120, max_size=120)


OUTCOMES = {
    'activity': ('completed', 'failed', 'timed_out', 'canceled'),
    'child': ('completed', 'failed', 'timed_out', 'canceled', 'terminated'),
    'lambda': ('completed', 'failed', 'timed_out', 'undelivered'),
    'timer': ('fired',),
    'signal': ('delivered', 'undelivered'),
    'cancel': ('delivered', 'undelivered'),
}
"""What may become of open work, what leads on first."""

CAUSES: dict[type, tuple[str, ...]] = {
    decisions.ScheduleActivity: (
        'ACTIVITY_TYPE_DOES_NOT_EXIST',
        'ACTIVITY_CREATION_RATE_EXCEEDED',
        'OPEN_ACTIVITIES_LIMIT_EXCEEDED',
    ),
    decisions.StartTimer: ('TIMER_CREATION_RATE_EXCEEDED',),
    decisions.StartChild: ('WORKFLOW_TYPE_DEPRECATED', 'CHILD_CREATION_RATE_EXCEEDED', 'OPEN_CHILDREN_LIMIT_EXCEEDED'),
    decisions.ScheduleLambda: ('LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION', 'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED'),
    decisions.RequestCancelActivity: ('ACTIVITY_ID_UNKNOWN',),
    decisions.CancelTimer: ('TIMER_ID_UNKNOWN',),
}


def asked_for(number: int, pick: Callable[[int], int]) -> dict[str, Any]:
    """The input of a signal that asks for an update: a call, a step, a value that a validator may refuse, and so on."""
    calls = [[('echo', 'late', 'get', 'sleep')[(number + place) // 2 % 4], number] for place in range(2)]
    name, args = {
        0: ('look', [number]),
        1: ('ask', calls[:1]),
        2: ('look', [number // 2]),
        3: ('several', [calls]),
        4: ('large', []),
        5: ('unknown', []),
    }.get(number, ('play', [ASKED[pick(len(ASKED))]]))
    return {'id': f'update {number // 3}', 'name': name, 'input': encode([args, {}])}


MAX_DECISIONS = 400
"""Far more than a program of this size can need."""


class Schedule:
    """Tells a story by the numbers that it reads."""

    def __init__(self, program: Any, numbers: bytes, workflow: type[Interpreter] = Interpreter) -> None:
        self._numbers: Iterator[int] = iter(numbers)
        self._cancels = self._updates = 0
        self._workflow = workflow
        self.story = Story(workflow, program, evict=lambda: self.pick(3) == 1)

    def following(self) -> Schedule:
        """The story of the run that continues this one, by the numbers that are left."""
        following = copy(self)
        following.story = Story(self._workflow, input=self.story.closed.result, evict=lambda: following.pick(3) == 1)
        return following

    def pick(self, count: int) -> int:
        """A choice of so many; the first one when the numbers have run out."""
        return next(self._numbers, 0) % count

    def tell(self) -> Story:
        story = self.story
        for _ in range(MAX_DECISIONS):
            if story.closed is not None:
                return story
            self.happen()
            self.decide()
        raise AssertionError('the story does not end')

    def happen(self) -> None:
        """Something that makes SWF send a decision task, if nothing has yet."""
        for _ in range(self.pick(3)):
            self.one()
        while not self.story.is_due:
            self.one()

    def one(self) -> None:
        story = self.story
        choice = self.pick(12)
        if choice == 11 and self._cancels < 2:
            self._cancels += 1
            story.cancel_requested()
        elif choice == 10:
            story.signaled('go', 'early')
        elif choice == 8 and self._updates < 3:
            self._updates += 1
            story.signaled(('number', 'strict')[self.pick(2)], (1, 2, 'no number', True)[self.pick(4)])
        elif choice == 9 and self._updates < 3:
            self._updates += 1
            self.update(self.pick(16))
        elif story.open:
            items = list(story.open.values())
            self.end(items[self.pick(len(items))])
        elif not story.is_due:  # whoever still waits waits for a signal
            story.signaled('go', 'on')
            story.signaled('stop', 'on')

    def update(self, number: int) -> None:
        """Somebody asks for a call, or for a value that a validator may refuse; now and then with an id in use."""
        self.story.signaled(UPDATE_SIGNAL, asked_for(number, self.pick))

    def end(self, item: Item) -> None:
        story = self.story
        if item.kind == 'child' and not item.started:
            if self.pick(8) == 7:
                story.undelivered(item, 'WORKFLOW_ALREADY_RUNNING')
            else:
                story.child_started(item)
            return
        outcomes = OUTCOMES[item.kind]
        choice = self.pick(2 * len(outcomes))
        name = outcomes[choice if choice < len(outcomes) else 0]
        if name == 'undelivered':
            rate = 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED'
            known = 'ASSUME_ROLE_FAILED' if item.kind == 'lambda' else 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION'
            story.undelivered(item, rate if item.kind == 'signal' and self.pick(2) else known)
        elif name == 'completed':
            story.completed(item, f'of {item.attempt}')
        else:
            getattr(story, name)(item)

    def decide(self) -> None:
        story = self.story
        way = self.pick(8)
        if way == 7:
            story.lose_decision_task()
            return
        story.start()
        if way == 6:
            story.time_out_decision()
            return
        if way == 5:
            for _ in range(1 + self.pick(2)):
                self.one()
        story.respond(self.limit(), self.refusals())

    def limit(self) -> int | None:
        return 1 + self.pick(3) if self.pick(4) == 3 else None

    def refusals(self) -> dict[Any, str]:
        if self.pick(6) != 5:
            return {}
        kinds = list(CAUSES)
        kind = kinds[self.pick(len(kinds))]
        return {kind: CAUSES[kind][self.pick(len(CAUSES[kind]))]}


class Signaling(Schedule):
    """One in which signals come before, behind and during every decision."""

    def __init__(self, program: Any, numbers: bytes, workflow: type[Interpreter] = Interpreter) -> None:
        super().__init__(program, numbers, workflow)
        self._left = 6
        self._cancels = 2  # none: an execution that is cancelled does not complete

    def happen(self) -> None:
        super().happen()
        self.maybe_signal()

    def limit(self) -> int | None:
        self.maybe_signal()
        return super().limit()

    def maybe_signal(self) -> None:
        if self._left and self.pick(2):
            self._left -= 1
            self.story.signaled(('go', 'stop')[self.pick(2)], 'more')


class Requested(Schedule):
    """Leads on everywhere, with a cancel request at one moment."""

    def __init__(self, program: Any, moment: int) -> None:
        super().__init__(program, b'')
        self._moment = moment

    def happen(self) -> None:
        if self._moment == 0 and self.story.events[1:]:
            self.story.cancel_requested()
        else:
            super().happen()
        self._moment -= 1


def unasked(story: Story) -> list[str]:
    """The open work that a cancelled branch waited for, and that nobody asked to stop."""
    given_up = {str(number) for number in story.sticky.workflow.given_up}
    stopped = {event.timer_id for event in story.events if isinstance(event, events.TimerCanceled)}
    stopped |= {event.control for event in story.events if isinstance(event, events.CancelInitiated)}
    stopped |= {event.key for event in story.events if getattr(event, 'kind', '').startswith('cancel ')}
    left = left_open(story)
    found = []
    for item in story.open.values():
        mark = item.attempt if item.kind == 'child' else item.key
        number = mark.partition(';')[0].partition('.')[0]
        if number in given_up and (item.key in left if item.kind == 'activity' else not stopped & {item.key, number}):
            found.append(f'{item.kind} {item.key}')
    return [name for name in found if not name.startswith(('lambda', 'signal', 'cancel'))]


def left_open(story: Story) -> set[str]:
    """The activities that were open at the close though nobody asked them to cancel."""
    asked = {event.activity_id for event in story.events if isinstance(event, events.ActivityCancelRequested)}
    asked |= {event.key for event in story.events if getattr(event, 'kind', None) == 'cancel activity'}
    return {item.key for item in story.open.values() if item.kind == 'activity'} - asked
