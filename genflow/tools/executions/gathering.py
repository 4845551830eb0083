"""Gathers facts about an execution besides its events, from a service or a file, for ``genflow.insight``.

It makes read-only calls only. Facts that the service refuses (because a permission is missing, for example) are left
out and named, so that ``why`` lists them as not known instead of failing.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field, frozen

from genflow.core.errors import HistoryError
from genflow.core.model.registry import WorkflowSpec, declared
from genflow.insight import ExecutionView, Facts, Poller
from genflow.swf.aws import faults
from genflow.testing.histories.exports import load
from genflow.tools.executions.follow import HistoryTail, listed

if TYPE_CHECKING:
    from genflow.insight import Diagnosis

__all__ = ['Gathered', 'Gatherer', 'from_file', 'known_spec', 'now', 'source_lines', 'spec_of_type']

T = TypeVar('T')

NEIGHBOURS = 20
"""Other executions whose histories are read to see who takes tasks from which list."""

RECENT = 200
"""Events that are read of each of them, from the end."""

DEPTH = 8
"""The most levels of children that are followed."""

MISSING = 'MISSING'


def now() -> datetime:
    return datetime.now(timezone.utc)


def source_lines(file: str) -> Sequence[str]:
    """The lines of a source file; none where it cannot be read."""
    return linecache.getlines(file)


def known_spec(view: ExecutionView) -> WorkflowSpec | None:
    """The class of an execution's type; ``None`` if it is not imported."""
    return spec_of_type(view.name, view.version)


def spec_of_type(name: str, version: str) -> WorkflowSpec | None:
    """The class of a workflow type; ``None`` if it is not imported."""
    found = None
    for spec in declared():
        if isinstance(spec, WorkflowSpec) and (spec.name, spec.version) == (name, version):
            found = spec
    return found


@frozen
class Gathered:
    """An execution, and the facts beside its events."""

    view: ExecutionView
    facts: Facts
    now: datetime

    def diagnosis(self, spec: WorkflowSpec | None = None) -> Diagnosis:
        """The findings about it; they include the position of its code if its class is given or imported."""
        from genflow.insight import diagnose

        return diagnose(self.view, self.now, self.facts, spec or known_spec(self.view), source_lines)


def from_file(path: str | Path, at: datetime | None = None, *, target: str | None = None) -> Gathered:
    """Reads an execution from a file of JSON, as the AWS command line or ``genflow history --json`` print it.

    Args:
        path: The file.
        at: The present; the time of the last event unless given.
        target: The code that the commands of findings name.

    Raises:
        HistoryError: It is not a whole history, or cannot be read.
    """
    try:
        if Path(path).is_char_device() or Path(path).is_block_device():
            raise HistoryError(f'{path} is a device; name a file')
        loaded = load(Path(path))
    except OSError as error:
        raise HistoryError(f'{path} cannot be read: {error.strerror}') from error
    try:
        view = ExecutionView(loaded.workflow_id, loaded.run_id).apply_all(loaded.events)
    except HistoryError as error:
        raise HistoryError(f'{path}: {error}') from error
    return Gathered(view, Facts(target=target, file=str(path)), at or view.updated_at or now())


@define
class Gatherer:
    """Asks one service about the executions of one domain.

    Attributes:
        client: Has the methods of boto3's SWF client.
        domain: The domain.
        options: What a genflow command needs to reach the same service.
        clock: Gives the present.
        target: The code that the commands of findings name.
    """

    client: Any
    domain: str
    options: str = ''
    clock: Callable[[], datetime] = now
    target: str | None = None
    _pollers: dict[tuple[str, str], dict[str, datetime]] | None = field(default=None, init=False)
    _asked: dict[Any, Any] = field(factory=dict, init=False)
    _refused: dict[str, None] = field(factory=dict, init=False)

    def gather(self, run: HistoryTail, depth: int = 0) -> Gathered:
        """An execution, with the facts that the service has beside its events."""
        return self.gather_view(ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0)), depth)

    def gather_view(self, view: ExecutionView, depth: int = 0) -> Gathered:
        """The facts that the service has beside the events of a view."""
        facts = Facts(
            live=True,
            options=self.options,
            domain=self.domain,
            target=self.target,
            pending=dict(self._pending(view)),
            pollers=self._seen() if view.is_open else {},
            types=dict(self._types(view)),
            parent=self._parent(view),
            children=dict(self._children(view, depth)),
            unknown=tuple(self._refused),
        )
        return Gathered(view, facts, self.clock())

    # waiting tasks and pollers

    def _pending(self, view: ExecutionView) -> Iterator[tuple[tuple[str, str], int]]:
        task = view.pending_decision
        if task is not None and task.task_list:
            yield from self._waiting('decision', task.task_list)
        lists = {one.last.task_list for one in view.open_operations() if one.kind == 'activity'}
        for name in sorted(filter(None, lists)):
            yield from self._waiting('activity', name)

    def _waiting(self, kind: str, name: str) -> Iterator[tuple[tuple[str, str], int]]:
        count = self.count(kind, name)
        if count is not None:
            yield (kind, name), count

    def count(self, kind: str, name: str) -> int | None:
        """The number of ``decision`` or ``activity`` tasks that wait on a list; ``None`` if the service refuses."""
        method = getattr(self.client, f'count_pending_{kind}_tasks')
        found = self._ask(f'how many {kind} tasks wait', method, domain=self.domain, taskList={'name': name})
        return None if found is None else found['count']

    def pollers(self) -> dict[tuple[str, str], tuple[Poller, ...]]:
        """The workers that took tasks lately, by kind (``decision`` or ``activity``) and task list."""
        return self._seen()

    def _seen(self) -> dict[tuple[str, str], tuple[Poller, ...]]:
        """Who took tasks lately, read from the histories of executions that started last."""
        if self._pollers is None:
            self._pollers = {}
            for view in self.neighbours():
                self._read_pollers(view)
        return {
            key: tuple(Poller(identity, at) for identity, at in sorted(found.items()))
            for key, found in self._pollers.items()
        }

    def _neighbours(self) -> Iterator[HistoryTail]:
        for kind in ('open', 'closed'):
            infos = self._ask(f'which executions are {kind}', self._listed, kind) or ()
            for info in infos:
                execution = info['execution']
                yield HistoryTail(self.client, self.domain, execution['workflowId'], execution['runId'])

    def neighbours(self) -> Iterator[ExecutionView]:
        """The ends of the histories of executions that started last."""
        for run in self._neighbours():
            events = self._ask('who takes its tasks', self._recent, run) or ()
            yield ExecutionView(run.workflow_id, run.run_id).apply_all(events)

    def _listed(self, kind: str) -> list[Any]:
        infos = listed(self.client, self.domain, kind, maximumPageSize=NEIGHBOURS)
        return [info for info, _ in zip(infos, range(NEIGHBOURS), strict=False)]

    def _read_pollers(self, view: ExecutionView) -> None:
        for task in view.decisions:
            self._note('decision', task.task_list, task.worker, task.started_at)
        for operation in view.operations:
            if operation.kind == 'activity':
                for attempt in operation.attempts:
                    self._note('activity', attempt.task_list, attempt.worker, attempt.started_at)

    def _recent(self, run: HistoryTail) -> list[Any]:
        """The last events of a run, oldest first."""
        page = self.client.get_workflow_execution_history(
            domain=self.domain, execution=run.execution, reverseOrder=True, maximumPageSize=RECENT
        )
        found: list[Any] = page['events'][::-1]
        return found

    def _note(self, kind: str, task_list: str | None, worker: str | None, at: datetime | None) -> None:
        if self._pollers is not None and task_list and at is not None:
            known = self._pollers.setdefault((kind, task_list), {})
            name = worker or 'a worker'
            known[name] = max(at, known.get(name, at))

    # types

    def _types(self, view: ExecutionView) -> Iterator[tuple[tuple[str, str, str], str]]:
        wanted = {
            ('activity' if one.kind == 'activity' else 'workflow', one.name, one.version or '')
            for one in view.open_operations()
            if one.kind in ('activity', 'child')
        }
        for kind, name, version in sorted(wanted | {('workflow', view.name, view.version)}):
            state = self._type(kind, name, version)
            if state is not None:
                yield (kind, name, version), state

    def _type(self, kind: str, name: str, version: str) -> str | None:
        key = (kind, name, version)
        if key not in self._asked:
            self._asked[key] = self._described(kind, name, version)
        found: str | None = self._asked[key]
        return found

    def _described(self, kind: str, name: str, version: str) -> str | None:
        method = getattr(self.client, f'describe_{kind}_type')
        request = {'domain': self.domain, f'{kind}Type': {'name': name, 'version': version}}
        try:
            state: str = method(**request)['typeInfo']['status']
        except Exception as error:  # noqa: BLE001 - what no service refused is raised again
            if faults.code_of(error) == 'UnknownResourceFault':
                return MISSING
            self._give_up(f'whether the {kind} types are registered', error)
            return None
        return state

    # relatives

    def _parent(self, view: ExecutionView) -> str | None:
        if view.parent is None:
            return None
        execution = {'workflowId': view.parent[0], 'runId': view.parent[1]}
        found = self._ask(
            'what became of its parent',
            self.client.describe_workflow_execution,
            domain=self.domain,
            execution=execution,
        )
        if found is None:
            return None
        info = found['executionInfo']
        return str(info.get('closeStatus') or 'open').lower().replace('_', ' ')

    def _children(self, view: ExecutionView, depth: int) -> Iterator[tuple[str, Diagnosis]]:
        if depth >= DEPTH:
            return
        children = (one for one in view.operations if one.kind == 'child' and one.last.run_id)
        concerned = (one for one in children if (one.is_open if view.is_open else one.is_open or one.has_failed))
        for operation in islice(concerned, NEIGHBOURS):
            last = operation.last
            if last.run_id is not None:
                run = HistoryTail(self.client, self.domain, last.key, last.run_id)
                found = self._ask('what its children do', self.gather, run, depth + 1)
                if found is not None:
                    yield last.key, found.diagnosis()

    # calling the hook

    def _ask(self, what: str, method: Callable[..., T], *args: Any, **request: Any) -> T | None:
        """An answer of the service, ``None`` where it refuses."""
        try:
            return method(*args, **request)
        except Exception as error:  # noqa: BLE001 - what no service refused is raised again
            self._give_up(what, error)
            return None

    def _give_up(self, what: str, error: Exception) -> None:
        code = faults.code_of(error)
        if code is None:
            raise error
        self._refused[f'{what} ({code})'] = None
