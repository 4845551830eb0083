"""Kill a working service again and again, and hold its file to what it has promised.

    python benchmarks/soak.py --kills 500

A child process serves a mixed load of open executions (activities, timers, markers, children, signals, heartbeats) from
many threads, and reports each call that has returned through a pipe. The parent kills it with SIGKILL at a random
moment, opens the file, and checks that

* every history has the event ids 1 to n, and no event is dated before its predecessor,
* everything that was reported is there: starts, polls, answers, signals,
* no task was handed out twice,
* the open counts and the pending counts are what a recount of the histories gives.

Then the next child goes on. After the last kill a child works undisturbed until every execution has completed.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from botocore.exceptions import ClientError

from genflow.local import LocalSWF, ManualClock

DOMAIN = 'soak'
WORKFLOW = {'name': 'soak', 'version': '1'}
ACTIVITY = {'name': 'work', 'version': '1'}
ROUNDS = 4
PATIENCE = '2'  # seconds of every time-out of a task: what a dead process held comes back after them
GONE = 'UnknownResourceFault'


# The child: a decider, workers, a starter and a signaller.


def prepare(swf: LocalSWF) -> None:
    """Register what is not yet registered."""
    defaults = {
        'defaultTaskList': {'name': 'deciders'},
        'defaultExecutionStartToCloseTimeout': '86400',
        'defaultTaskStartToCloseTimeout': PATIENCE,
        'defaultChildPolicy': 'ABANDON',
    }
    work = {
        'defaultTaskList': {'name': 'workers'},
        'defaultTaskScheduleToStartTimeout': 'NONE',
        'defaultTaskScheduleToCloseTimeout': 'NONE',
        'defaultTaskStartToCloseTimeout': PATIENCE,
        'defaultTaskHeartbeatTimeout': PATIENCE,
    }
    for register in (
        lambda: swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='90'),
        lambda: swf.register_workflow_type(domain=DOMAIN, **WORKFLOW, **defaults),
        lambda: swf.register_activity_type(domain=DOMAIN, **ACTIVITY, **work),
    ):
        try:
            register()
        except ClientError as error:
            if not error.response['Error']['Code'].endswith('AlreadyExistsFault'):
                raise


def decision(kind: str, **attributes: object) -> dict:
    return {'decisionType': kind, f'{kind[0].lower()}{kind[1:]}DecisionAttributes': attributes}


def decide(events: list[dict]) -> list[dict]:
    """What to do next, from the whole history: rounds of two activities, a timer and a marker, then the end."""
    count = collections.Counter(event['eventType'] for event in events)
    ended = sum(count[f'ActivityTask{end}'] for end in ('Completed', 'TimedOut', 'Canceled', 'Failed'))
    if count['ActivityTaskScheduled'] > ended or count['TimerStarted'] > count['TimerFired']:
        return []
    if count['ActivityTaskCompleted'] >= 2 * ROUNDS:
        return [decision('CompleteWorkflowExecution', result=str(count['ActivityTaskCompleted']))]
    number = count['ActivityTaskScheduled']
    decisions = [
        decision('ScheduleActivityTask', activityId=f'a{number + extra}', activityType=ACTIVITY, input=str(number))
        for extra in range(2)
    ]
    decisions.append(decision('StartTimer', timerId=f't{number}', startToFireTimeout='0'))
    decisions.append(decision('RecordMarker', markerName='round', details=str(number)))
    root = 'parentWorkflowExecution' not in events[0]['workflowExecutionStartedEventAttributes']
    if number == 0 and root and events[1]['eventId'] % 2 == 0 and random.random() < 0.2:  # noqa: PLR2004
        decisions.append(
            decision('StartChildWorkflowExecution', workflowType=WORKFLOW, workflowId=f'child-{random.getrandbits(60)}')
        )
    return decisions


class Child:
    """The load, and the reports of what has returned."""

    def __init__(self, path: str, population: int, *, starting: bool) -> None:
        self.swf = LocalSWF(path, synchronous='NORMAL', long_poll=0.2)
        self.population = population
        self.starting = starting
        self.over = threading.Event()
        prepare(self.swf)

    def report(self, *what: object) -> None:
        """One line; whoever reads it knows that the call has returned."""
        os.write(1, (json.dumps(what) + '\n').encode())

    def deciding(self) -> None:
        task = self.swf.poll_for_decision_task(domain=DOMAIN, taskList={'name': 'deciders'}, identity='soak')
        if 'taskToken' not in task:
            return
        run = task['workflowExecution']
        started = task['events'][-1]
        scheduled = started['decisionTaskStartedEventAttributes']['scheduledEventId']
        self.report('decision', run, scheduled, task['startedEventId'])
        self.swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=decide(task['events']))
        self.report('decided', run, task['startedEventId'])

    def working(self) -> None:
        task = self.swf.poll_for_activity_task(domain=DOMAIN, taskList={'name': 'workers'}, identity='soak')
        if 'taskToken' not in task:
            return
        run = task['workflowExecution']
        self.report('activity', run, task['activityId'], task['startedEventId'])
        if random.random() < 0.2:  # noqa: PLR2004
            self.swf.record_activity_task_heartbeat(taskToken=task['taskToken'], details='alive')
        result = f'{task["activityId"]}:{random.getrandbits(60)}'
        self.swf.respond_activity_task_completed(taskToken=task['taskToken'], result=result)
        self.report('result', run, task['startedEventId'], result)

    def populating(self) -> None:
        count = self.swf.count_open_workflow_executions(domain=DOMAIN, startTimeFilter={'oldestDate': 0})['count']
        if not self.starting and not count:
            self.over.set()
        for _ in range(self.population - count if self.starting else 0):
            workflow_id = f'root-{random.getrandbits(60)}'
            started = self.swf.start_workflow_execution(domain=DOMAIN, workflowId=workflow_id, workflowType=WORKFLOW)
            self.report('started', {'workflowId': workflow_id, 'runId': started['runId']})
            if random.random() < 0.3:  # noqa: PLR2004
                number = str(random.getrandbits(60))
                self.swf.signal_workflow_execution(domain=DOMAIN, workflowId=workflow_id, signalName='s', input=number)
                self.report('signalled', {'workflowId': workflow_id, 'runId': started['runId']}, number)
        self.over.wait(0.02)

    def forever(self, work: object) -> None:
        while not self.over.is_set():
            try:
                work()
            except ClientError as error:
                if error.response['Error']['Code'] != GONE:
                    raise

    def run(self) -> None:
        """Work until killed, or until everything has completed."""
        jobs = [self.populating, *[self.deciding] * 4, *[self.working] * 4]
        threads = [threading.Thread(target=self.forever, args=(job,), daemon=True) for job in jobs]
        self.report('ready')
        for thread in threads:
            thread.start()
        self.over.wait()
        for thread in threads:
            thread.join()
        self.swf.close()


# The parent: the promises.


class Broken(AssertionError):
    """The file does not hold what was promised."""


def promise(kept: object, what: str) -> None:
    if not kept:
        raise Broken(what)


def recount(events: list[dict]) -> dict[str, int]:
    """The open counts, from the history alone."""
    count = collections.Counter(event['eventType'] for event in events)
    ended = ('Completed', 'Failed', 'TimedOut', 'Canceled')
    children = (*ended, 'Terminated')
    timed_out = [event for event in events if event['eventType'] == 'DecisionTaskTimedOut']
    never_started = sum(not event['decisionTaskTimedOutEventAttributes']['startedEventId'] for event in timed_out)
    decided = count['DecisionTaskCompleted'] + len(timed_out)
    being_decided = count['DecisionTaskStarted'] > decided - never_started
    return {
        'openActivityTasks': count['ActivityTaskScheduled'] - sum(count[f'ActivityTask{end}'] for end in ended),
        'openDecisionTasks': int(count['DecisionTaskScheduled'] > decided and not being_decided),
        'openTimers': count['TimerStarted'] - count['TimerFired'] - count['TimerCanceled'],
        'openChildWorkflowExecutions': count['StartChildWorkflowExecutionInitiated']
        - count['StartChildWorkflowExecutionFailed']
        - sum(count[f'ChildWorkflowExecution{end}'] for end in children),
        'openLambdaFunctions': 0,
    }


class OpenItems:
    """Everything that was ever reported, by run."""

    def __init__(self) -> None:
        self.reports: dict[tuple[str, str], list[list]] = collections.defaultdict(list)
        self.handed: set[tuple[str, object, int]] = set()
        self.calls = 0

    def note(self, line: str) -> None:
        kind, *rest = json.loads(line)
        if kind == 'ready':
            return
        run = (rest[0]['workflowId'], rest[0]['runId'])
        self.reports[run].append([kind, *rest[1:]])
        self.calls += 1
        if kind in {'decision', 'activity'}:
            task = (kind, run, rest[1])
            promise(task not in self.handed, f'{task} was handed out twice')
            self.handed.add(task)

    def hold(self, run: tuple[str, str], events: list[dict]) -> None:
        """Everything reported of the run is in its history."""
        by_id = {event['eventId']: event for event in events}
        results = {
            event['activityTaskCompletedEventAttributes'].get('result')
            for event in events
            if event['eventType'] == 'ActivityTaskCompleted'
        }
        decided = {
            event['decisionTaskCompletedEventAttributes']['startedEventId']
            for event in events
            if event['eventType'] == 'DecisionTaskCompleted'
        }
        signals = {
            event['workflowExecutionSignaledEventAttributes'].get('input')
            for event in events
            if event['eventType'] == 'WorkflowExecutionSignaled'
        }
        checks = {
            'started': lambda: True,
            'decision': lambda scheduled, started: by_id[started]['eventType'] == 'DecisionTaskStarted',
            'activity': lambda activity, started: by_id[started]['eventType'] == 'ActivityTaskStarted',
            'decided': lambda started: started in decided,
            'result': lambda started, result: result in results,
            'signalled': lambda number: number in signals,
        }
        for kind, *rest in self.reports[run]:
            promise(checks[kind](*rest), f'{kind} {rest} of {run} was reported and is not there')


def history(swf: LocalSWF, run: tuple[str, str]) -> list[dict]:
    execution = {'workflowId': run[0], 'runId': run[1]}
    pages = swf.get_paginator('get_workflow_execution_history').paginate(domain=DOMAIN, execution=execution)
    return [event for page in pages for event in page['events']]


def listed(swf: LocalSWF, method: str) -> list[tuple[str, str]]:
    pages = swf.get_paginator(method).paginate(domain=DOMAIN, startTimeFilter={'oldestDate': 0})
    infos = [info['execution'] for page in pages for info in page['executionInfos']]
    return [(execution['workflowId'], execution['runId']) for execution in infos]


def check(path: str, ledger: OpenItems, *, everything: bool) -> int:
    """Hold the file to its promises; of closed executions only those reported lately, unless ``everything``."""
    still = ManualClock(datetime.now(timezone.utc))  # or tasks would time out between one look and the next
    with closing(LocalSWF(path, still, synchronous='NORMAL')) as swf:
        opened = listed(swf, 'list_open_workflow_executions')
        runs = set(opened) | set(ledger.reports)
        waiting = collections.Counter()
        for run in runs:
            events = history(swf, run)
            promise([event['eventId'] for event in events] == list(range(1, len(events) + 1)), f'{run}: ids have gaps')
            dates = [event['eventTimestamp'] for event in events]
            promise(dates == sorted(dates), f'{run}: dates go backwards')
            ledger.hold(run, events)
            description = swf.describe_workflow_execution(
                domain=DOMAIN, execution={'workflowId': run[0], 'runId': run[1]}
            )
            if description['executionInfo']['executionStatus'] == 'OPEN':
                expected = recount(events)
                promise(description['openCounts'] == expected, f'{run}: {description["openCounts"]} is not {expected}')
                waiting.update(unstarted(events))
            elif not everything:
                del ledger.reports[run]  # it will not change any more
        for kind, task_list in (('activity', 'workers'), ('decision', 'deciders')):
            count = getattr(swf, f'count_pending_{kind}_tasks')(domain=DOMAIN, taskList={'name': task_list})['count']
            promise(count == waiting[kind], f'{count} {kind} tasks are pending, {waiting[kind]} in the histories')
        return len(opened)


def unstarted(events: list[dict]) -> dict[str, int]:
    """Tasks that wait to be polled."""
    count = collections.Counter(event['eventType'] for event in events)
    never = sum(
        event['activityTaskTimedOutEventAttributes']['startedEventId'] == 0
        for event in events
        if event['eventType'] == 'ActivityTaskTimedOut'
    )
    started = count['DecisionTaskStarted'] - count['DecisionTaskCompleted'] - count['DecisionTaskTimedOut']
    scheduled = count['DecisionTaskScheduled'] - count['DecisionTaskStarted']
    return {
        'activity': count['ActivityTaskScheduled'] - count['ActivityTaskStarted'] - never,
        'decision': 0 if started else scheduled,
    }


def life(path: str, population: int, ledger: OpenItems, seconds: float | None) -> float:
    """Run a child; kill it ``seconds`` after it is ready, or let it finish. How long that took."""
    began = time.perf_counter()
    finish = ['--finish'] if seconds is None else []
    command = [sys.executable, __file__, '--child', path, '--open', str(population), *finish]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        killer = threading.Timer(seconds or 0, child.kill)
        for line in child.stdout:
            if line.endswith('\n'):
                ledger.note(line)
            if line == '["ready"]\n' and seconds is not None:
                killer.start()
        killer.cancel()
    code = child.returncode
    promise(code == (0 if seconds is None else -signal.SIGKILL), f'the child ended by itself, with {code}')
    return time.perf_counter() - began


def soak(path: str, kills: int, population: int, longest: float) -> dict[str, object]:
    """Kill, check, go on; then let everything complete."""
    ledger = OpenItems()
    fewest = population
    for number in range(kills):
        life(path, population, ledger, random.uniform(0.01, longest))
        opened = check(path, ledger, everything=False)
        fewest = min(fewest, opened) if number else fewest
        if number % 25 == 24:  # noqa: PLR2004
            print(f'{number + 1} kills, {ledger.calls} calls reported, {opened} open', flush=True)
    life(path, population, ledger, None)
    opened = check(path, ledger, everything=True)
    promise(opened == 0, f'{opened} executions are still open at the end')
    with closing(LocalSWF(path, synchronous='NORMAL')) as swf:
        closed = listed(swf, 'list_closed_workflow_executions')
        completed = swf.count_closed_workflow_executions(
            domain=DOMAIN, startTimeFilter={'oldestDate': 0}, closeStatusFilter={'status': 'COMPLETED'}
        )['count']
        for run in closed:
            events = history(swf, run)
            promise([event['eventId'] for event in events] == list(range(1, len(events) + 1)), f'{run}: ids have gaps')
    promise(completed == len(closed), f'{completed} of {len(closed)} executions completed')
    return {'kills': kills, 'calls reported': ledger.calls, 'completed': completed, 'fewest open at a check': fewest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=500)
    parser.add_argument('--open', type=int, default=200, help='executions that are kept open')
    parser.add_argument('--longest', type=float, default=0.5, help='seconds of the longest life')
    parser.add_argument('--db', help='the file; a temporary one unless given')
    parser.add_argument('--child', help=argparse.SUPPRESS)
    parser.add_argument('--finish', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        Child(options.child, options.open, starting=not options.finish).run()
        return
    with tempfile.TemporaryDirectory() as folder:
        path = options.db or str(Path(folder) / 'soak.db')
        began = time.perf_counter()
        facts = soak(path, options.kills, options.open, options.longest)
        facts['file'] = f'{Path(path).stat().st_size / 1e6:.1f} MB'
        facts['seconds'] = round(time.perf_counter() - began, 1)
        print(', '.join(f'{name}: {value}' for name, value in facts.items()))


if __name__ == '__main__':
    main()
