"""The smallest workflow with an activity.

genflow run examples/hello.py World
"""

from __future__ import annotations

from genflow import Activity, Steps, Workflow, activity, workflow


@activity(name='Greet', version=1, task_list='hello')
class Greet(Activity):
    """Does the work: runs once, on any machine, and may do whatever Python can."""

    def run(self, name: str) -> str:
        return f'Hello, {name}!'


@workflow(name='Hello', version=1, task_list='hello')
class Hello(Workflow):
    """Says what is to be done, and in which order; may be continued anywhere from its history."""

    greet = Greet.proxy()

    def run(self, name: str = 'World') -> Steps[str]:
        greeting = yield from self.greet(name)
        return greeting
