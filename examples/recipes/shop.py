"""The workflow that the recipes start: an order that waits for an approval, and is then charged."""

from __future__ import annotations

from genflow import Retry, Signal, Steps, TaskTimeout, Workflow, activity, current_activity, query, workflow

DOMAIN = 'shop'
WEEK = 7 * 86400


@activity(name='Charge', version=1, task_list='orders', start_to_close=60)
def charge(order: int) -> str:
    activity = current_activity()
    activity.logger.info('charging order %s', order)
    return f'receipt {order}'


@workflow(name='Order', version=1, task_list='orders', workflow_duration=2 * WEEK)
class Order(Workflow):
    charge = charge.proxy(retry=Retry(5))
    approval = Signal[bool](on_invalid='log')

    def run(self, order: int) -> Steps[str]:
        self.state = 'waits for approval'
        try:
            approved = yield from self.approval.get().timeout(WEEK)
        except TaskTimeout:
            approved = False
        if not approved:
            return 'refused'
        self.state = 'is charged'
        return (yield from self.charge(order))

    @query
    def current(self) -> str:
        return self.state
