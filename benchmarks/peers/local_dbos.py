"""DBOS on SQLite: workflows of sequential trivial steps, each step's result kept before the next begins.

Arguments: folder, how many workflows, how many steps, and the journal mode of the file. DBOS sets neither that nor
``synchronous``: by itself it has SQLite's rollback journal (``DELETE``) and ``FULL``. ``WAL`` stays with a file, so it
is set before DBOS opens it.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from dbos import DBOS


@DBOS.step()
def step(number: int) -> int:
    return number


@DBOS.workflow()
def steps(count: int) -> int:
    for number in range(count):
        step(number)
    return count


def main(folder: str, workflows: int, count: int, journal: str) -> None:
    path = Path(folder) / 'dbos.sqlite'
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(f'PRAGMA journal_mode = {journal}').fetchone()[0] == journal.lower()
        assert database.execute('PRAGMA synchronous').fetchone()[0] == 2  # noqa: PLR2004 - FULL, what DBOS gets too
    DBOS(config={'name': 'steps', 'system_database_url': f'sqlite:///{path}', 'log_level': 'ERROR'})
    DBOS.launch()
    assert DBOS.start_workflow(steps, 1).get_result() == 1
    begun = time.perf_counter()
    handles = [DBOS.start_workflow(steps, count) for _ in range(workflows)]
    assert [handle.get_result() for handle in handles] == [count] * workflows
    seconds = time.perf_counter() - begun
    with closing(sqlite3.connect(path)) as database:
        kept = database.execute('SELECT count(*) FROM operation_outputs').fetchone()[0]
        mode = database.execute('PRAGMA journal_mode').fetchone()[0]
    assert (kept, mode) == (workflows * count + 1, journal.lower()), (kept, mode)
    print(json.dumps({'seconds': seconds}), flush=True)
    DBOS.destroy()


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
