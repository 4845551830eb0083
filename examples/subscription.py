"""An entity that lives for years: one loop reads its messages and keeps its due times, and restarts now and then.

genflow run examples/subscription.py Ada basic 1 3

bills three periods of one second each. With the default period it bills once in 30 days, until a signal ends it:

    genflow signal subscription-Ada change '{"plan": "premium"}'
    genflow signal subscription-Ada change '{"ends": true}'
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from genflow import Retry, Signal, Steps, Workflow, activity, current_activity, first_of, query, workflow

PRICES = {'basic': 5, 'premium': 12}


@dataclass
class Change:
    """What a customer may ask for. One signal for all of it: several signals are queues whose common order is lost."""

    plan: str = ''
    ends: bool = False


@activity(name='Bill', version=1, task_list='subscriptions')
def bill(customer: str, amount: int) -> str:
    """Bills once, however often it is tried: the key is the same for each attempt."""
    return f'{customer} pays {amount} ({current_activity().idempotency_key})'


@workflow(name='Subscription', version=1, task_list='subscriptions', workflow_duration=None)
class Subscription(Workflow):
    bill = bill.proxy(retry=Retry(10))
    change = Signal[Change](on_invalid='log')

    def run(
        self,
        customer: str,
        plan: str,
        period: int = 30 * 86400,
        periods: int | None = None,
        billed: int = 0,
        due: datetime | None = None,
    ) -> Steps[int]:
        self.plan, self.billed = plan, billed
        due = due or self.now() + timedelta(seconds=period)
        while not self.info.restart_suggested:
            name, change = yield first_of(change=self.change.get(), due=self.sleep_until(due))
            if name == 'due':
                yield self.bill(customer, PRICES[self.plan])
                self.billed += 1
                due += timedelta(seconds=period)
            elif change.plan in PRICES:
                self.plan = change.plan
            if self.billed == periods or (change and change.ends):
                return self.billed
        # A timer ends with its run, so the next run is given the time at which the next bill is due.
        return self.restart(customer, self.plan, period, periods, self.billed, due)

    @query
    def state(self) -> dict[str, str | int]:
        return {'plan': self.plan, 'billed': self.billed}
