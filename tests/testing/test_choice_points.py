"""Each choice point of the explorer has a bug that it alone shows: a table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from attrs import Factory, evolve, frozen

from genflow import (
    ActivityFailed,
    ActivityProxy,
    ActivityTimedOut,
    ChildFailed,
    ChildTerminated,
    ChildTimedOut,
    LambdaFailed,
    LambdaProxy,
    LambdaTimedOut,
    Signal,
    SignalFailed,
    TaskCanceled,
    TaskFailed,
    Workflow,
    WorkflowCanceled,
    WorkflowProxy,
    any_of,
    update,
)
from genflow.testing import ExplorationFailed, explore
from genflow.testing.explorer.playing.simulation import Simulation
from tests.testing.planted import Desk


class Declined(Exception):
    """What a charge may raise."""


class Shop(Desk):
    step = ActivityProxy('Step', '1', retry=0, heartbeat=10, start_to_close=60, schedule_to_close=90)
    declines = ActivityProxy('Declines', '1', retry=0, raises=(Declined,))
    child = WorkflowProxy('Child', '1', retry=0)
    f = LambdaProxy('f', retry=0)
    go = Signal()
    answer = Signal[bool]()

    def bug(self):
        """What must not be reached."""
        return self.missing


def fails_with(call, error, reason=None):
    """A workflow whose handler of one kind of failure has a bug."""

    class Handles(Shop):
        def run(self):
            try:
                yield call(self)
            except error as caught:
                if reason in (None, type(caught), getattr(caught, 'reason', 0), getattr(caught, 'timeout_type', 0)):
                    self.bug()

    return Handles


class LostAnswer(Shop):
    def run(self):
        try:
            yield self.charge(1)
        except ActivityTimedOut:
            return 'not charged'
        return 'charged'


class AsksToCancel(Shop):
    def run(self):
        work = self.step()
        yield self.read(1)
        work.cancel()
        try:
            yield work
        except TaskCanceled:
            yield self.read(2)


class AsksAnotherToCancel(Shop):
    def run(self):
        try:
            yield self.external('other').cancel()
        except TaskFailed:
            self.bug()


class InOrder(Shop):
    """Asks for two things at once."""

    def run(self, first):
        yield [getattr(self, first)(1), self.write(2)]


class Alarms(Shop):
    def run(self):
        early, late = self.sleep(5), self.sleep(6)
        winner = yield any_of(early, late)
        if winner is late:
            self.bug()


class CanceledInBetween(Shop):
    def run(self):
        yield self.read(1)
        try:
            yield self.write(2)
        except WorkflowCanceled:
            self.bug()
        yield self.ship(3)


class HearsEarly(Shop):
    def run(self):
        yield self.read(1)
        if self.go.drain():
            self.bug()
        yield self.go.get()


class HearsAgain(Shop):
    def run(self):
        yield self.go.get()
        yield self.read(1)
        if self.go.drain():
            self.bug()


class HearsNo(Shop):
    def run(self):
        if not (yield self.answer.get()):
            self.bug()


class Updated(Shop):
    changed = False

    def run(self):
        yield self.read(1)
        if self.changed:
            self.bug()

    @update
    def change(self):
        self.changed = True


class LateSignal(Shop):
    def run(self):
        yield self.read(1)
        return len(self.go.drain())


class TimerWins(Shop):
    def run(self):
        work = self.read(1)
        winner = yield any_of(work, self.sleep(5))
        if winner is not work:
            self.bug()


class ChildBegins(Shop):
    def run(self):
        child = self.child()
        yield self.read(1)
        if child.run_id is not None:
            self.bug()
        yield child


@frozen
class Row:
    """A choice point.

    Attributes:
        choice: What the labels of its choices look like.
        needs: What is to be switched off as well, since it shows the same.
        waits: Whether the choice is not off, but comes after all others.
    """

    choice: str
    workflow: type[Workflow]
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = Factory(dict)
    needs: str = 'nothing'
    waits: bool = False


class Till:
    """A model."""

    def __init__(self):
        self.charged = []

    def charge(self, order):
        self.charged.append(order)
        return 'charged'


TILL = Till()
LOST = {'charge': TILL.charge, 'check': lambda result: result == 'charged' or not TILL.charged}
FIRST = {'check': lambda calls: calls[0].name != 'Write'}
OTHERS = 'end .* (failed|timed out|terminated)|before|during|cancel|evict|lose'
"""What makes searches of refusals long."""

NONE = {'go': [1], 'check': lambda result, warnings: not result}

ROWS = [
    Row('end Charge#. failed$', fails_with(lambda flow: flow.charge(1), ActivityFailed)),
    Row('end Declines#. failed:Declined', fails_with(lambda flow: flow.declines(), Declined)),
    Row('end Step#. timed out$', fails_with(lambda flow: flow.step(), ActivityTimedOut, 'START_TO_CLOSE')),
    Row('end .* not started', fails_with(lambda flow: flow.step(), ActivityTimedOut, 'SCHEDULE_TO_START')),
    Row('end .* no heartbeat', fails_with(lambda flow: flow.step(), ActivityTimedOut, 'HEARTBEAT')),
    Row('end .* in all', fails_with(lambda flow: flow.step(), ActivityTimedOut, 'SCHEDULE_TO_CLOSE')),
    Row('end Charge#. timed out, performed', LostAnswer, (), LOST),
    Row('end Step#. canceled', AsksToCancel, (), {'check': lambda calls: calls[0].outcome != 'canceled'}),
    Row('end Child#. started', ChildBegins, (), {'without': ['untaken']}, waits=True),
    Row('end Child#. failed', fails_with(lambda flow: flow.child(), TaskFailed, ChildFailed)),
    Row('end Child#. timed out', fails_with(lambda flow: flow.child(), TaskFailed, ChildTimedOut)),
    Row('end Child#. terminated', fails_with(lambda flow: flow.child(), TaskFailed, ChildTerminated)),
    Row('end f#. failed', fails_with(lambda flow: flow.f(), LambdaFailed)),
    Row('end f#. timed out', fails_with(lambda flow: flow.f(), LambdaTimedOut)),
    Row('end go#. undelivered', fails_with(lambda flow: flow.external('other').signal(flow.go), SignalFailed)),
    Row('end cancel of other#. undelivered', AsksAnotherToCancel),
    Row('end timer#. fired', TimerWins, (), {'without': ['untaken']}, waits=True),
    Row('refuse activity$', InOrder, ('read',), FIRST, needs=f'refuse activity, of|{OTHERS}'),
    Row('refuse child$', InOrder, ('child',), FIRST, needs=f'refuse child, since|{OTHERS}'),
    Row('refuse lambda', InOrder, ('f',), FIRST, needs=OTHERS),
    Row('refuse timer', Alarms),
    Row('refuse activity, of', fails_with(lambda flow: flow.charge(1), TaskFailed, 'ACTIVITY_TYPE_DOES_NOT_EXIST')),
    Row('refuse child, since', fails_with(lambda flow: flow.child(), TaskFailed, 'WORKFLOW_ALREADY_RUNNING')),
    Row('cancel', CanceledInBetween),
    Row('signal go$', HearsEarly, (), {'go': [1]}, waits=True),
    Row('signal go extra', HearsAgain),
    Row('signal answer with false', HearsNo),
    Row('signal .*change', Updated),
    Row('before signal go', LateSignal, (), NONE, needs='^(during )?signal go'),
    Row('during signal go', LateSignal, (), NONE, needs='^(before )?signal go'),
]


def matches(pattern, label):
    """Whether a label is meant, also where the choice is made close to a decision."""
    return re.match(f'(before |during )?({pattern})', label) is not None


def explored(row, *off):
    """What is found with some choices switched off."""
    actions = Simulation.actions

    def left(run, allowance):
        found = [action for action in actions(run, allowance) if not any(matches(one, action.label) for one in off)]
        others = [action for action in found if not matches(row.choice, action.label)] if row.waits else []
        return others or found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, 'actions', left)
        try:
            explore(row.workflow, *row.args, faults=2, budget=300, **row.options)
        except ExplorationFailed as failed:
            return failed
    return None


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row.choice)
def test_a_bug_is_found_by_its_choice_alone(row):
    assert explored(row, row.needs, *([] if row.waits else [row.choice])) is None
    assert explored(evolve(row, waits=False), row.needs) is not None
