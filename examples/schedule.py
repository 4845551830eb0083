"""A job by a cron table, and what becomes of a run that is still going when the next is due.

genflow run examples/schedule.py:Schedule '"0 7 * * mon-fri"' skip 0

`overlap` is `skip` (leave the new run out), `queue` (start it when the old one has ended) or `replace` (cancel the old
one). The schedule restarts itself after so many due times, so that its history never grows long. A restart waits for
the job that runs, and what the next run of the schedule has to know travels as arguments. It needs the extra `cron`.
"""

from __future__ import annotations

from datetime import timedelta

from genflow import Steps, Task, TaskFailed, Workflow, cron, workflow

RUNS_PER_HISTORY = 100


@workflow(name='Job', version=1, task_list='schedule', workflow_duration=timedelta(hours=12))
class Job(Workflow):
    def run(self, due: str) -> Steps[str]:
        yield self.sleep(timedelta(minutes=45))
        return f'report of {due}'


@workflow(name='Schedule', version=1, task_list='schedule', workflow_duration=None, child_policy='ABANDON')
class Schedule(Workflow):
    job = Job.proxy(retry=0)

    def run(
        self, table: str, overlap: str, times: int, ran: int = 0, skipped: int = 0, zone: str = 'Europe/Vienna'
    ) -> Steps[dict[str, int]]:
        running: Task[None] | None = None
        for number in range(times):
            if number == RUNS_PER_HISTORY:
                return self.restart(table, overlap, times - number, ran, skipped, zone)
            yield self.sleep_until(cron(table, tz=zone, after=self.now()))
            if running is not None and not running.done():
                if overlap == 'skip':
                    skipped += 1
                    continue
                if overlap == 'replace':
                    running.cancel()
            due = self.now().isoformat(timespec='minutes')
            ran += 1
            running = self.spawn(self.one(due, running if overlap == 'queue' else None))
        return {'runs': ran, 'skipped': skipped}  # the execution closes when the last job has ended

    def one(self, due: str, before: Task[None] | None) -> Steps[None]:
        if before is not None:
            yield before
        try:
            yield self.job.with_options(workflow_id=f'job-{due}'.replace(':', '.'))(due)
        except TaskFailed as error:
            self.logger.warning('the job of %s failed: %s', due, error)
