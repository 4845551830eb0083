"""More items than a history holds: a page at a time, so many items at once, and a fresh history for each page.

genflow run examples/paging.py 250

What fails does not stop the rest: its names are in the result.
"""

from __future__ import annotations

from genflow import GiveUp, Retry, Steps, Workflow, activity, workflow

PAGE = 100
MISSING = {7, 107}


@activity(name='ListFiles', version=1, task_list='paging')
def list_files(count: int, after: int) -> list[int]:
    """The numbers of the next files; a real one asks a bucket or a database for a page of keys."""
    return list(range(after + 1, min(after + PAGE, count) + 1))


@activity(name='CopyFile', version=1, task_list='paging')
def copy_file(number: int) -> None:
    if number in MISSING:
        raise GiveUp(f'file {number} is not there')  # no further attempt


@workflow(name='CopyAll', version=1, task_list='paging', workflow_duration=86400)
class CopyAll(Workflow):
    list_files = list_files.proxy(retry=Retry(5))
    copy_file = copy_file.proxy(retry=Retry(5))

    def run(self, count: int, after: int = 0, failed: list[int] | None = None) -> Steps[dict[str, object]]:
        failed = failed or []
        numbers = yield from self.list_files(count, after)
        if not numbers:
            return {'copied': after - len(failed), 'failed': failed}
        self.set_status(f'from {numbers[0]} to {numbers[-1]}')
        outcomes = yield from self.map(self.copy_file, numbers, limit=20, failures='return')
        failed += [number for number, outcome in zip(numbers, outcomes, strict=True) if outcome is not None]
        return self.restart(count, numbers[-1], failed)
