"""What tests of the worker side work with: a service's loops turned until nothing is left to do."""

from __future__ import annotations

from genflow.core.model.registry import Registry, declared
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.registration import register
from genflow.swf.client.handles import Client
from genflow.swf.tasks.poller import Poller
from genflow.swf.worker.activity_runner import ActivityRunner
from genflow.swf.worker.decider import Decider


def registry_of(*classes):
    registry = Registry()
    for cls in classes:
        for spec in declared(cls):
            registry.add(spec)
    return registry


class Loops:
    """A decider and a performer on this thread, for classes and one task list of domain ``d``."""

    def __init__(self, swf, *classes, task_list='tl', limits=None, **options):
        self.swf = swf
        self.registry = registry_of(*classes)
        self.service = RetryingClient(connect(swf))
        self.client = Client('d', service=self.service)
        self.decider = Decider(self.service, 'd', self.registry, **options)
        self.performer = ActivityRunner(self.service, 'd', self.registry, limits=limits or {})
        self.lists = [task_list]
        register(self.service, 'd', (*self.registry.workflows, *self.registry.activities))

    def poller(self, task_list):
        return Poller(self.service, 'd', task_list)

    def decide(self, task_list=None, *, trimmed=True):
        """Decides what waits on one list (all of them unless named), one task; whether there was one."""
        for name in [task_list] if task_list else self.lists:
            task = self.poller(name).decision_task(trimmed=trimmed)
            if task is not None:
                self.decider.handle(task)
                return True
        return False

    def run_activity(self):
        for name in self.lists:
            task = self.poller(name).activity_task()
            if task is not None:
                self.performer.handle(task)
                return True
        return False

    def run(self):
        """Decides and performs until nothing is left to do."""
        while self.decide() or self.run_activity():
            pass


def kinds(execution):
    return [event['eventType'] for event in execution.history()]


def attributes(execution, kind):
    """The attributes of every event of one type."""
    member = f'{kind[0].lower()}{kind[1:]}EventAttributes'
    return [event[member] for event in execution.history() if event['eventType'] == kind]
