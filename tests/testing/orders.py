"""Workflows that the tests of the testing kit share."""

from __future__ import annotations

from genflow import ActivityFailed, ActivityProxy, LambdaProxy, Signal, Workflow, WorkflowCanceled, WorkflowProxy


class Order(Workflow):
    charge = ActivityProxy(name='Charge', version='v1')
    ship = ActivityProxy(name='Ship', version='v1')
    approve = Signal()

    def run(self, order):
        receipt = yield self.charge(order)
        approved = yield self.approve.get()
        return (yield self.ship(receipt)) if approved else 'refused'


class Declined(Workflow):
    charge = ActivityProxy(name='Charge', version='v1', retry=0)

    def run(self, order):
        try:
            return (yield self.charge(order))
        except ActivityFailed as error:
            return f'declined: {error.reason}'


class Everything(Workflow):
    """Asks for one of each kind."""

    work = ActivityProxy(name='Work', version='v1', retry=0, heartbeat=30, start_to_close=60, schedule_to_start=10)
    child = WorkflowProxy(name='Child', version='2', retry=0)
    resize = LambdaProxy('resize')

    def run(self):
        work, child, resize = self.work('a'), self.child('b'), self.resize({'size': 3})
        timer, signal = self.sleep(90), self.external('other').signal('hello', 'c')
        cancel = self.external('third').cancel()
        outcomes = []
        for task in (work, child, resize, timer, signal, cancel):
            try:
                outcomes.append((yield task))
            except Exception as error:
                outcomes.append(type(error).__name__)
        return outcomes


class Patient(Workflow):
    """Cancels what it has when it is cancelled."""

    work = ActivityProxy(name='Work', version='v1', retry=0)

    def run(self):
        try:
            yield self.work('a')
        except WorkflowCanceled:
            self.set_status('stopping')
            raise
