"""An approval that goes up a level when nobody answers: reminded daily, passed on after three days, dropped in the end.

genflow run examples/escalation.py '{"item": "crane", "price": 90000}' '["lead", "head"]' 1

A day of one second passes without an answer. Who is asked stands in the execution's status, and a person answers with

    genflow signal ID verdict '{"who": "head", "approved": true}'
"""

from __future__ import annotations

from dataclasses import dataclass

from genflow import Retry, Signal, Steps, Workflow, activity, first_of, workflow


@dataclass
class Purchase:
    item: str
    price: int


@dataclass
class Verdict:
    who: str
    approved: bool


@activity(name='Notify', version=1, task_list='purchases')
def notify(who: str, text: str) -> None:
    print(f'to {who}: {text}')


@workflow(name='Purchase', version=1, task_list='purchases', workflow_duration=60 * 86400)
class ApprovePurchase(Workflow):
    notify = notify.proxy(retry=Retry(5))
    verdict = Signal[Verdict](on_invalid='log')  # a typing error of a person must not fail the execution

    def run(self, purchase: Purchase, levels: list[str], day: int = 86400) -> Steps[str]:
        for number, who in enumerate(levels):
            verdict = yield from self.asked(who, levels[number:], purchase, day)
            if verdict is not None:
                return f'{purchase.item} {"approved" if verdict.approved else "refused"} by {verdict.who}'
        return f'nobody decided on the {purchase.item}'

    def asked(self, who: str, allowed: list[str], purchase: Purchase, day: int) -> Steps[Verdict | None]:
        """The verdict of one level, or of one above it; ``None`` if nobody answers within three days."""
        self.set_status({'asked': who})
        over = self.sleep(3 * day)
        text = f'Please decide on the {purchase.item}'
        while True:
            yield self.notify(who, text)
            verdict = self.verdict.get(match=lambda verdict: verdict.who in allowed)
            name, value = yield first_of(verdict=verdict, over=over, reminder=self.sleep(day), keep=('over',))
            if name == 'verdict':
                decided: Verdict = value
                return decided
            if name == 'over':
                return None
            text = f'The {purchase.item} still waits for you'
