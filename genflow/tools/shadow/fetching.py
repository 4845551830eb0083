"""Executions and their histories from any SWF: at a bounded rate, kept on disk, gone on with where it stopped.

Three operations are called, and nothing is written: ``ListOpenWorkflowExecutions``, ``ListClosedWorkflowExecutions``
and ``GetWorkflowExecutionHistory``. Each is called at half the rate at which SWF refills its bucket, so that workers of
the same account have the other half. A history of a closed execution never changes: it is read from the folder where
it is kept, so that a fetch that was interrupted goes on where it was.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from genflow.core.errors import GenflowError, HistoryError
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.faults import code_of, message_of
from genflow.swf.aws.pagination import pages
from genflow.swf.aws.rate_limits import CLASSES
from genflow.swf.wire.close_events import ENDINGS
from genflow.testing.histories.exports import load, written

__all__ = ['CLOSING', 'OPERATIONS', 'Fetcher', 'Forbidden', 'Recorded', 'Wanted', 'action_of', 'since_of', 'sweep']

log = logging.getLogger('genflow.shadow')

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
PAGE = 1000
"""Executions or events of a page, SWF's most."""

PATIENCE, FIRST_PATIENCE = 120.0, 15.0
"""Seconds for which a call is repeated that SWF throttles or does not answer, and for which the first one is: a service
that cannot be reached is to be reported soon."""

SHARE = 0.5
"""The part of SWF's rates that is used."""

LONGEST = timedelta(weeks=1000)
"""A time before which SWF had no executions."""

CLOSING = frozenset({*ENDINGS, 'WorkflowExecutionContinuedAsNew'})
"""The types of event with which a history ends for good."""

OPERATIONS = ('list_open_workflow_executions', 'list_closed_workflow_executions', 'get_workflow_execution_history')
"""The operations that are called."""

FORBIDDEN = frozenset({'AccessDenied', 'AccessDeniedException', 'OperationNotPermittedFault', 'UnauthorizedOperation'})
"""The codes with which AWS refuses a caller that lacks a permission."""

_UNITS = {'s': 'seconds', 'm': 'minutes', 'h': 'hours', 'd': 'days', 'w': 'weeks'}


def since_of(text: str) -> timedelta:
    """How long ago ``7d``, ``12h``, ``30m``, ``90s`` or ``2w`` is.

    Raises:
        ValueError: It is none of these.
    """
    match = re.fullmatch(r'([0-9]+)([smhdw])', text)
    if match is None:
        raise ValueError(f'{text!r} is not a time: write a number and s, m, h, d or w, such as 7d')
    try:
        return min(timedelta(**{_UNITS[match[2]]: int(match[1])}), LONGEST)
    except (OverflowError, ValueError):  # more than a timedelta, or more digits than an int is read of
        return LONGEST


@frozen
class Wanted:
    """Which executions are looked at.

    Attributes:
        domain: The SWF domain.
        type_name: Of the workflow type; every type unless given.
        since: How far back closed executions are looked at, by when they closed; open ones always are.
        open_only: No closed ones.
        limit: The most executions to check.
        types: Names and versions of the workflow types that can be checked; the others are not counted in ``limit``.
    """

    domain: str
    type_name: str | None = None
    since: timedelta = timedelta(days=7)
    open_only: bool = False
    limit: int | None = None
    types: frozenset[tuple[str, str]] | None = None

    def counts(self, execution: Recorded) -> bool:
        """Whether an execution can be checked."""
        return self.types is None or (execution.name, execution.version) in self.types


@frozen
class Recorded:
    """An execution and its history.

    Attributes:
        name: Of the workflow type.
        version: Of the workflow type.
        is_open: Whether it is open.
    """

    workflow_id: str
    run_id: str
    name: str
    version: str
    is_open: bool


def _rates() -> dict[str, float]:
    return {operation: rate * SHARE for _, rate, operations in CLASSES for operation in operations}


class Forbidden(GenflowError):
    """The caller lacks a permission; the text names the IAM action."""


def action_of(operation: str) -> str:
    """The IAM action of an operation."""
    return 'swf:' + ''.join(map(str.title, operation.split('_')))


def _needs(operation: str, request: Mapping[str, Any]) -> str:
    actions = ', '.join(action_of(one) for one in OPERATIONS)
    return (
        f'Allow {action_of(operation)} on the domain {request["domain"]} to the role that runs this; a shadow makes '
        f'calls of {actions} and no others.'
    )


@define(eq=False)
class Fetcher:
    """Fetches executions.

    Attributes:
        service: Calls SWF; a call that fails for a passing reason is repeated.
        folder: Where histories are kept; nowhere unless given.
        clock: Seconds, monotonic.
        pause: Waits so many seconds.
        now: The time, for ``since``.
        calls: How many calls were made.
        listed: How many executions the pages have that were listed so far.
    """

    service: RetryingClient
    folder: Path | None = None
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], Any] = field(factory=lambda: threading.Event().wait)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(timezone.utc))
    calls: int = 0
    listed: int = 0
    _rates: Mapping[str, float] = field(factory=_rates)
    _next: dict[str, float] = field(factory=dict)
    _answered: bool = False

    def executions(self, wanted: Wanted) -> Iterator[Recorded]:
        """The executions, open ones first, each kind with the latest first.

        One that closes after the open ones have been listed is in both lists, and given once.
        """
        left = wanted.limit
        seen: set[str] = set()
        for info in self._infos(wanted):
            kind, ids = info['workflowType'], info['execution']
            is_open = info['executionStatus'] == 'OPEN'
            found = Recorded(ids['workflowId'], ids['runId'], kind['name'], kind['version'], is_open)
            if found.run_id in seen:
                continue
            seen.add(found.run_id)
            yield found
            if left is not None and wanted.counts(found):
                left -= 1
                if not left:
                    return

    def _infos(self, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {'domain': wanted.domain, 'maximumPageSize': min(PAGE, wanted.limit or PAGE)}
        if wanted.type_name is not None:
            request['typeFilter'] = {'name': wanted.type_name}
        yield from self._listed('list_open_workflow_executions', **request, startTimeFilter={'oldestDate': EPOCH})
        if not wanted.open_only:
            oldest = self.now() - wanted.since
            yield from self._listed(
                'list_closed_workflow_executions', **request, closeTimeFilter={'oldestDate': oldest}
            )

    def _listed(self, operation: str, **request: Any) -> Iterator[Mapping[str, Any]]:
        for page in pages(self._calling(operation), **request):
            self.listed += len(page['executionInfos'])
            yield from page['executionInfos']

    def history(self, domain: str, execution: Recorded) -> dict[str, Any]:
        """The history as the AWS command line prints it: from the folder where it is kept, else from SWF."""
        path = self._path(domain, execution)
        if path is not None and not execution.is_open:
            events = _kept(path, execution)
            if events and events[-1]['eventType'] in CLOSING:  # else it was kept while the execution was open
                return _document(execution, events)
        request = {
            'domain': domain,
            'execution': {'workflowId': execution.workflow_id, 'runId': execution.run_id},
            'maximumPageSize': PAGE,
        }
        found = pages(self._calling('get_workflow_execution_history'), **request)
        events = [event for page in found for event in page['events']]
        if path is not None:
            _keep(path, written(events, execution.workflow_id, execution.run_id))
        return _document(execution, events)

    def _path(self, domain: str, execution: Recorded) -> Path | None:
        if self.folder is None:
            return None
        shown = re.sub(r'[^A-Za-z0-9._-]', '_', execution.workflow_id)[:80]
        ids = f'{execution.workflow_id}\n{execution.run_id}'.encode()
        return self.folder / re.sub(r'[^A-Za-z0-9._-]', '_', domain) / f'{shown}-{sha256(ids).hexdigest()[:16]}.json'

    def _calling(self, operation: str) -> Callable[..., Mapping[str, Any]]:
        def call(**request: Any) -> Mapping[str, Any]:
            self._wait(operation)
            self.calls += 1
            patience = PATIENCE if self._answered else FIRST_PATIENCE
            try:
                answer = self.service.call(operation, patience=patience, **request)
            except Exception as error:
                if code_of(error) in FORBIDDEN:
                    raise Forbidden(f'{message_of(error)} ({code_of(error)}). {_needs(operation, request)}') from error
                raise
            self._answered = True
            return answer

        return call

    def _wait(self, operation: str) -> None:
        """Waits until the operation may be called again."""
        now = self.clock()
        at = max(now, self._next.get(operation, now))
        self._next[operation] = at + 1 / self._rates[operation]
        if at > now:
            self.pause(at - now)


def _document(execution: Recorded, events: list[Any]) -> dict[str, Any]:
    ids = {'workflowId': execution.workflow_id, 'runId': execution.run_id}
    return {'workflowExecution': ids, 'events': events}


def _keep(path: Path, text: str) -> None:
    """Writes a file whole, or not at all, also where another shadow writes the same one.

    Raises:
        OSError: It cannot be written; the error names the file.
    """
    half = ''
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, half = tempfile.mkstemp('.part', path.stem, path.parent)
        with open(number, 'w', encoding='utf-8') as file:  # noqa: PTH123 - it is a descriptor
            file.write(text)
        os.replace(half, path)  # noqa: PTH105 - the one call that is atomic on every system
    except BaseException as error:
        if half:
            Path(half).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(f'cannot keep a history in the cache, {path}: {error.strerror or error}') from error
        raise


def _kept(path: Path, execution: Recorded) -> list[Any]:
    """The events of a history that is kept; none where there is none, or none that can be read."""
    try:
        loaded = load(path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (HistoryError, ValueError) as error:
        log.warning('%s is damaged, and is fetched again: %s', path, error)
        return []
    if loaded.run_id != execution.run_id:
        log.warning('%s has the history of the run %s, and is fetched again', path, loaded.run_id)
        return []
    return list(loaded.events)


def sweep(folder: Path) -> None:
    """Deletes what a shadow that was killed has left half-written, where that is an hour old."""
    for half in folder.rglob('*.part'):
        with suppress(OSError):  # another shadow may have deleted it
            if half.stat().st_mtime < time.time() - 3600:
                half.unlink()
