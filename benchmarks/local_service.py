"""How fast the local service is, next to what SQLite itself does on this machine.

    python benchmarks/local_service.py [--closed 100000] [--history 20000]

Everything is measured through client methods in this process. The workload is 200 workflows of 10 sequential steps;
a step is one activity: four calls (poll and answer the activity, poll and answer the decision). The bare loop writes a
row for each of the events of that workload, with a commit for each call.

The second table takes one round trip (signal, poll, respond) in an empty file, in one with many closed executions, and
for an execution with a long history: the three should take the same time.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from genflow.local import Limits, LocalSWF

WORKFLOWS = 200
STEPS = 10
EVENT = '{"eventId":7,"eventType":"ActivityTaskScheduled","attributes":"' + 'x' * 250 + '"}'
WORKFLOW = {'name': 'w', 'version': '1'}
ACTIVITY = {'name': 'a', 'version': '1'}


def decision(kind: str, **attributes: object) -> dict:
    return {'decisionType': kind, f'{kind[0].lower()}{kind[1:]}DecisionAttributes': attributes}


def prepare(swf: LocalSWF) -> LocalSWF:
    swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='90')
    swf.register_workflow_type(
        domain='d',
        **WORKFLOW,
        defaultTaskList={'name': 'deciders'},
        defaultExecutionStartToCloseTimeout='86400',
        defaultTaskStartToCloseTimeout='60',
        defaultChildPolicy='TERMINATE',
    )
    swf.register_activity_type(
        domain='d',
        **ACTIVITY,
        defaultTaskList={'name': 'workers'},
        defaultTaskScheduleToStartTimeout='NONE',
        defaultTaskScheduleToCloseTimeout='NONE',
        defaultTaskStartToCloseTimeout='300',
        defaultTaskHeartbeatTimeout='NONE',
    )
    return swf


def steps(swf: LocalSWF, lane: str, workflows: int) -> int:
    """Run workflows to their ends on task lists of their own; the calls that it took."""
    deciders, workers = {'name': f'deciders-{lane}'}, {'name': f'workers-{lane}'}
    for number in range(workflows):
        swf.start_workflow_execution(
            domain='d', workflowId=f'{lane}-{number}', workflowType=WORKFLOW, taskList=deciders, input='[[1], {}]'
        )
    calls, done = workflows, {}
    while sum(count > STEPS for count in done.values()) < workflows:
        task = swf.poll_for_decision_task(domain='d', taskList=deciders, startAtPreviousStartedEvent=True)
        workflow_id = task['workflowExecution']['workflowId']
        step = done.get(workflow_id, 0)
        done[workflow_id] = step + 1
        schedule = decision(
            'ScheduleActivityTask', activityType=ACTIVITY, activityId=str(step), taskList=workers, input='[[1], {}]'
        )
        last = decision('CompleteWorkflowExecution', result='1')
        swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[schedule if step < STEPS else last])
        calls += 2
        if step < STEPS:
            work = swf.poll_for_activity_task(domain='d', taskList=workers)
            swf.respond_activity_task_completed(taskToken=work['taskToken'], result='1')
            calls += 2
    return calls


def workload(path: str, synchronous: str, callers: int, workflows: int) -> str:
    """The workload, shared by so many threads."""
    with closing(prepare(LocalSWF(path, synchronous=synchronous, long_poll=0))) as swf:
        calls: list[int] = []
        threads = [
            threading.Thread(target=lambda lane=lane: calls.append(steps(swf, str(lane), workflows // callers)))
            for lane in range(callers)
        ]
        before, began = swf.statistics.commits, time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
        commits = max(1, swf.statistics.commits - before)
        count = workflows // callers * callers * STEPS
        return f'{sum(calls) / took:8.0f} calls/s {count / took:7.0f} steps/s {sum(calls) / commits:8.1f} calls/commit'


def bare(path: str, synchronous: str, workflows: int) -> str:
    """What SQLite does: the same events, in the same order of executions, a commit for each call."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute('PRAGMA journal_mode = WAL')
        connection.execute(f'PRAGMA synchronous = {synchronous}')
        connection.execute('CREATE TABLE events (run INTEGER, id INTEGER, event TEXT, PRIMARY KEY (run, id))')
        began, calls, ids = time.perf_counter(), 0, [0] * workflows
        for _ in range(STEPS):
            for events in (2, 1, 2, 1):  # respond decision, poll activity, respond activity, poll decision
                for run in range(workflows):
                    connection.execute('BEGIN')
                    for _ in range(events):
                        ids[run] += 1
                        connection.execute('INSERT INTO events VALUES (?, ?, ?)', (run, ids[run], EVENT))
                    connection.execute('COMMIT')
                    calls += 1
        took = time.perf_counter() - began
        return f'{calls / took:8.0f} calls/s {workflows * STEPS / took:7.0f} steps/s {1:8.1f} calls/commit'


def round_trips(swf: LocalSWF, workflow_id: str, number: int = 400) -> float:
    """The median of a signal, a poll and a response, in microseconds."""
    taken = []
    for _ in range(number):
        began = time.perf_counter()
        swf.signal_workflow_execution(domain='d', workflowId=workflow_id, signalName='s')
        task = swf.poll_for_decision_task(
            domain='d', taskList={'name': workflow_id}, startAtPreviousStartedEvent=True, maximumPageSize=100
        )
        swf.respond_decision_task_completed(taskToken=task['taskToken'])
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


def start(swf: LocalSWF, workflow_id: str) -> None:
    """An execution that has had its first decision."""
    task_list = {'name': workflow_id}
    swf.start_workflow_execution(domain='d', workflowId=workflow_id, workflowType=WORKFLOW, taskList=task_list)
    task = swf.poll_for_decision_task(domain='d', taskList=task_list)
    swf.respond_decision_task_completed(taskToken=task['taskToken'])


def lengthen(swf: LocalSWF, workflow_id: str, events: int) -> None:
    """Write markers until the history has so many events."""
    marker = decision('RecordMarker', markerName='m', details='x' * 200)
    for _ in range(events // 1000):
        swf.signal_workflow_execution(domain='d', workflowId=workflow_id, signalName='s')
        task = swf.poll_for_decision_task(
            domain='d', taskList={'name': workflow_id}, startAtPreviousStartedEvent=True, maximumPageSize=1
        )
        swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[marker] * 996)


def growth(folder: str, closed: int, history: int) -> None:
    """The second table."""
    path = f'{folder}/growth.db'
    with closing(prepare(LocalSWF(path, synchronous='NORMAL', long_poll=0, limits=Limits()))) as swf:
        start(swf, 'empty')
        round_trips(swf, 'empty')
        base = round_trips(swf, 'empty')
        print(f'{"empty file":32} {base:7.0f} us')
        start(swf, 'long')
        lengthen(swf, 'long', history)
        report(f'{history:,} events in the history', round_trips(swf, 'long'), base)
        complete = decision('CompleteWorkflowExecution')
        for number in range(closed):
            swf.start_workflow_execution(domain='d', workflowId=f'c{number}', workflowType=WORKFLOW)
            task = swf.poll_for_decision_task(domain='d', taskList={'name': 'deciders'})
            swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[complete])
        report(f'{closed:,} closed executions', round_trips(swf, 'empty'), base)
    began = time.perf_counter()
    with closing(LocalSWF(path, synchronous='NORMAL', long_poll=0)) as swf:
        print(f'{"opening that file":32} {(time.perf_counter() - began) * 1e3:7.0f} ms')
        report('the same, opened again', round_trips(swf, 'empty'), base)
        report('the long history, opened again', round_trips(swf, 'long'), base)


def report(name: str, taken: float, base: float) -> None:
    print(f'{name:32} {taken:7.0f} us, {taken / base:.2f} times the empty file')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--closed', type=int, default=100_000)
    parser.add_argument('--history', type=int, default=20_000)
    parser.add_argument('--workflows', type=int, default=WORKFLOWS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, synchronous) in enumerate((('memory', 'OFF'), ('NORMAL', 'NORMAL'), ('FULL', 'FULL'))):
            memory = name == 'memory'
            alone = bare(':memory:' if memory else f'{folder}/b{number}', synchronous, options.workflows)
            print(f'{name:8} bare SQLite   {alone}')
            for callers in (1, 16):
                path = ':memory:' if memory else f'{folder}/w{number}-{callers}'
                print(
                    f'{name:8} {callers:2} caller(s)  {workload(path, synchronous, callers, options.workflows)}',
                    flush=True,
                )
        growth(folder, options.closed, options.history)


if __name__ == '__main__':
    main()
