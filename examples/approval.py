"""Waiting for a person: a purchase that a manager approves by a signal, or that nobody approves in time.

genflow run examples/approval.py:Purchase chair 80
genflow run examples/approval.py:Purchase yacht 1000000
"""

from __future__ import annotations

from genflow import Signal, Steps, TaskTimeout, Workflow, WorkflowProxy, workflow

BUDGET = 1000


@workflow(name='Manager', version=1, task_list='approval')
class Manager(Workflow):
    """Stands in for a person, who would signal from a command line or a web page."""

    def run(self, purchase_id: str, price: int) -> Steps[None]:
        yield self.sleep(1)
        if price <= BUDGET:
            yield self.external(purchase_id).signal(Purchase.approve, 'fine')


@workflow(name='Purchase', version=1, task_list='approval')
class Purchase(Workflow):
    approve = Signal()
    manager = WorkflowProxy(name='Manager', version=1, error_handling=True)  # without one, nobody approves in time

    def run(self, item: str, price: int, patience: int = 3) -> Steps[str]:
        self.manager(self.info.workflow_id, price)
        try:
            word = yield self.approve.get().timeout(patience)
        except TaskTimeout:
            return f'nobody approved the {item} within {patience} s'
        return f'the {item} is {word}'
