"""One session of ``genflow dev``: the service, a worker process for the code that was saved last, and saves.

*Theory of operation.* A separate process imports saved code and checks it against every open execution. If the code
cannot be imported, or does not match an open execution, nothing changes: the worker continues with the code that it
has imported. The user then chooses: to start those executions again, to repair them (their history up to the decision
before the mismatch is kept), or to keep the previous code. The worker is replaced only afterwards. Therefore no
decision is made that would hold an execution.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from genflow.core.text import counted
from genflow.insight import ExecutionView
from genflow.insight.repair import RepairError, plan_repair
from genflow.local import LocalSWF
from genflow.local.http.server import HttpServer
from genflow.local.state.limits import LARGE_PAGES
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.registration import register_domain
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.executions.rerun import request_of

__all__ = ['CHOICES', 'Departure', 'Session']

REASON = 'genflow dev: the saved code does not match it'
DRAINING = 'draining: '
"""The beginning of the line in which a worker announces its end; it is not shown here."""

WORKER_TIMEOUT = 2
"""Seconds to wait for replaced code to end."""

DRAIN = 5
"""Seconds that activities of replaced code have to finish in."""


@frozen
class Departure:
    """An open execution that saved code does not follow.

    Attributes:
        workflow_id: Its workflow id.
        run_id: Its run.
        before: The first decision that cannot be trusted; ``None`` where no event says.
        text: The report.
        is_gone: Whether the saved code does not have its workflow type at all.
    """

    workflow_id: str
    run_id: str
    before: int | None
    text: str
    is_gone: bool = False


@frozen
class Checked:
    """The check of saved code: its error, or the types to poll for and the executions that do not match."""

    error: str | None = None
    task_lists: tuple[str, ...] = ()
    departures: tuple[Departure, ...] = ()


@define(eq=False)
class Session:
    """A service, a worker and the code that they work with.

    Attributes:
        target: The file or module.
        domain: The domain.
        tell: Is given each message, from any thread.
        db: The file of the service; a temporary one unless given.
        port: Of the service; a free one if 0.
        middleware: Of the worker, as ``module:name``; empty for none.
        url: Where other processes reach the service; empty until it begins.
        dashboard: The address of the dashboard; empty where there is none.
        code: ``running``, or why what was saved last is not: ``broken`` or ``departs``.
        pending: What was checked last, while somebody has to choose.
    """

    target: str
    domain: str
    tell: Callable[[str], None]
    db: str | None = None
    port: int = 0
    middleware: str = ''
    url: str = ''
    dashboard: str = ''
    code: str = 'running'
    pending: Checked = field(factory=Checked, init=False)
    _running: Checked = field(factory=Checked, init=False)
    _worker: subprocess.Popen[str] | None = field(default=None, init=False)
    _replaced: list[subprocess.Popen[str]] = field(factory=list, init=False)
    _service: LocalSWF | None = field(default=None, init=False)
    _server: HttpServer | None = field(default=None, init=False)
    _folder: contextlib.ExitStack = field(factory=contextlib.ExitStack, init=False)

    def __enter__(self) -> Session:  # noqa: PYI034 - typing.Self came with Python 3.11
        if self.db is None:
            folder = self._folder.enter_context(tempfile.TemporaryDirectory(prefix='genflow-dev-'))
            self.db = str(Path(folder) / 'dev.db')
        self._serve()
        register_domain(RetryingClient(connect(self.client)), self.domain)
        return self

    def __exit__(self, *exception: object) -> None:
        self._end_workers()
        self._stop_serving()
        self._folder.close()

    @property
    def client(self) -> Any:
        """The service, which has the methods of boto3's client."""
        if self._service is None:
            raise RuntimeError('the session has not begun')
        return self._service

    def fork_run(self, domain: str, workflow_id: str, run_id: str, events: Sequence[Any]) -> str:
        """Opens a new run of a closed execution in the service that runs now; gives its run id."""
        found: str = self.client.fork_run(domain, workflow_id, run_id, events)
        return found

    # saves

    def saved(self) -> None:
        """Runs the code that is on disk now, if it has no error and matches every open execution."""
        checked = self._checked()
        if checked.error is not None:
            self.code = 'broken'
            self.tell(f'the code cannot be used{self._goes_on()}:\n{checked.error}')
        elif checked.departures:
            self.code, self.pending = 'departs', checked
            for departure in checked.departures:
                self.tell(f'no longer matches: {departure.text}')
            number = counted(len(checked.departures), 'open execution')
            self.tell(f'{number} would be held by the saved code{self._goes_on()}.')
        else:
            self._take_up(checked)

    @property
    def is_working(self) -> bool:
        """Whether a worker runs, of this code or of the one before."""
        return self._worker is not None

    def _goes_on(self) -> str:
        return '; the previous code keeps running' if self.is_working else ''

    def choose(self, key: str) -> None:
        """Carries out one of :data:`CHOICES`, while a choice is open."""
        if self.code != 'departs':
            return
        checked, self.pending = self.pending, Checked()
        CHOICES[key][1](self, checked)

    def keep(self, checked: Checked) -> None:
        """Keeps the previous code until the next save."""
        self.code = 'kept'
        self.tell('the previous code keeps running, also for new executions, until the next save')

    def restart(self, checked: Checked) -> None:
        """Starts the executions that do not match again, with the same input and the new code."""
        self._end_workers()  # the old code must not decide what is started for the new one
        for departure in self._known(checked):
            self._restart(departure)
        self._take_up(checked)

    def repair(self, checked: Checked) -> None:
        """Repairs the executions that do not match: they continue from where the new code still matches."""
        self._end_workers()
        for departure in self._known(checked):
            if not self._repaired(departure, self._ended(departure)):
                self._start_again(departure)
        self._take_up(checked)

    def _known(self, checked: Checked) -> list[Departure]:
        """What the saved code can go on with; the rest stays open, and is named."""
        for departure in checked.departures:
            if departure.is_gone:
                self.tell(f'{departure.text}; it stays open until the code has it again')
        return [departure for departure in checked.departures if not departure.is_gone]

    def _restart(self, departure: Departure) -> None:
        self._ended(departure)
        self._start_again(departure)

    def _start_again(self, departure: Departure) -> None:
        run = HistoryTail(self.client, self.domain, departure.workflow_id, departure.run_id)
        request = request_of(run.first(), run.run_id) | {'domain': self.domain, 'workflowId': run.workflow_id}
        self.client.start_workflow_execution(**request)
        self.tell(f'{departure.workflow_id} was started again')

    def _ended(self, departure: Departure) -> ExecutionView:
        """Terminates an execution, and gives its whole history; it may have closed since it was looked at."""
        run = HistoryTail(self.client, self.domain, departure.workflow_id, departure.run_id)
        if run.close() is None:
            self.client.terminate_workflow_execution(
                domain=self.domain, workflowId=run.workflow_id, runId=run.run_id, reason=REASON, childPolicy='ABANDON'
            )
        return run.view().apply_all(run.since(0))

    def _repaired(self, departure: Departure, view: ExecutionView) -> bool:
        try:
            plan = plan_repair(view, datetime.now(timezone.utc), departure.before)
        except RepairError as error:
            self.tell(f'{departure.workflow_id} cannot be repaired, and is started again: {error}')
            return False
        self.fork_run(self.domain, departure.workflow_id, departure.run_id, plan.events)
        kept = counted(len(plan.kept), 'operation')
        self.tell(f'{departure.workflow_id} goes on after event {plan.trusted}, with {kept} completed')
        return True

    # the check

    def _checked(self) -> Checked:
        words = [sys.executable, '-m', 'genflow.tools.dev.check', self.target, self.url, self.domain, self.middleware]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=_variables())  # noqa: S603 - our own words
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            return Checked(error=done.stderr.strip() or f'the check ended with {done.returncode}')
        departures = tuple(
            Departure(one['workflowId'], one['runId'], one['before'], one['text'], one.get('gone', False))
            for one in found.get('departures', ())
        )
        return Checked(found.get('error'), tuple(found.get('taskLists', ())), departures)

    # the worker

    def _take_up(self, checked: Checked) -> None:
        was_there = self._worker is not None or bool(self._replaced)
        self._stop_worker()
        self._running = evolve(checked, departures=())
        lists = [word for name in checked.task_lists for word in ('--task-list', name)]
        options = [
            '--supervised',  # it ends with this process, however that ends: it notices the end of its stdin
            '--no-sticky',
            '--register' if checked.departures else '--no-register',  # without any the check has registered
            '--log-level',
            'warning',
            '--drain',
            str(DRAIN),
            '--endpoint',
            self.url,
            *(['--middleware', self.middleware] if self.middleware else ()),
        ]
        words = [sys.executable, '-m', 'genflow', 'worker', self.target, '--domain', self.domain, *options, *lists]
        self._worker = subprocess.Popen(  # noqa: S603 - our own words
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.PIPE,
            text=True,
            env=_variables(),
        )
        threading.Thread(target=self._pass_on, args=(self._worker,), daemon=True).start()
        self.code = 'running'
        self.tell('the new code runs' if was_there else 'the code runs')

    def _pass_on(self, worker: subprocess.Popen[str]) -> None:
        """Shows what the worker and its activities print."""
        if worker.stdout is not None and worker.stdin is not None:
            with worker.stdin, worker.stdout as lines:
                for line in lines:
                    if not line.startswith(DRAINING):
                        self.tell(line.rstrip('\n'))

    def _stop_worker(self) -> None:
        """Has the worker poll no more and finish what it does; activities that take longer are not waited for."""
        if self._worker is not None:
            self._worker.terminate()
            try:
                self._worker.wait(WORKER_TIMEOUT)
            except subprocess.TimeoutExpired:
                threading.Thread(target=_end, args=(self._worker,), daemon=True).start()
            self._replaced.append(self._worker)
            self._worker = None

    def _end_workers(self) -> None:
        """Has no worker left, the replaced ones included."""
        self._stop_worker()
        for process in self._replaced:
            _end(process)

    # the service

    def _serve(self) -> None:
        self._service = LocalSWF(str(self.db), limits=LARGE_PAGES)
        self._server = HttpServer(self._service, port=self.port)
        self._server.__enter__()
        self.port, self.url = self._server.port, self._server.url

    def _stop_serving(self) -> None:
        if self._server is not None and self._service is not None:
            self._server.__exit__(None, None, None)
            self._service.close()
        self._server = self._service = None


def _end(process: subprocess.Popen[str]) -> None:
    """Waits for a worker that drains; one that has not ended when its time for that is over is killed."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(DRAIN + 1)
    process.kill()
    process.wait()


def _variables() -> dict[str, str]:
    """The environment of processes that load the code; they write no bytecode.

    Python takes bytecode for current if the source still has the second and the size of its last change: of two saves
    within a second, the later one would go unnoticed.
    """
    return {**os.environ, 'PYTHONDONTWRITEBYTECODE': '1'}


CHOICES: dict[str, tuple[str, Callable[[Session, Checked], None]]] = {
    'r': ('restart them', Session.restart),
    'p': ('repair them', Session.repair),
    'k': ('keep the old code', Session.keep),
}
"""What the user may choose if open executions do not match the saved code, by key."""
