"""Durable timers: a reminder every so often until it is acknowledged, each wait kept by the service.

genflow run examples/reminders.py '"water the plants"' 1 3

With days for seconds it works as well: nothing runs while a workflow sleeps, and this one may take a year.
"""

from __future__ import annotations

from genflow import Activity, Signal, Steps, Workflow, activity, any_of, workflow


@activity(name='Remind', version=1, task_list='reminders')
class Remind(Activity):
    def run(self, text: str, number: int) -> str:
        return f'{number}. reminder: {text}'


@workflow(name='Reminders', version=1, task_list='reminders', workflow_duration=365 * 86400)
class Reminders(Workflow):
    remind = Remind.proxy()
    done = Signal()

    def run(self, text: str, pause: int, times: int) -> Steps[list[str]]:
        sent: list[str] = []
        done = self.done.get()
        while len(sent) < times:
            first = yield any_of(done, self.sleep(pause))
            if first is done:
                break
            sent.append((yield from self.remind(text, len(sent) + 1)))
        return sent
