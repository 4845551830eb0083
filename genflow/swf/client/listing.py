"""Lists of executions by type, tag, state and time of start.

SWF takes one filter a request beside the time, and lists open and closed executions apart. The most selective filter
goes into the request; the others are applied to what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import field, frozen

from genflow.core.errors import DefinitionError

__all__ = ['CLOSE_STATUSES', 'STATUSES', 'ExecutionFilter', 'newest_run']

CLOSE_STATUSES = ('COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED', 'CONTINUED_AS_NEW', 'TIMED_OUT')
STATUSES = ('OPEN', *CLOSE_STATUSES)


def _status(value: str | None) -> str | None:
    if value is not None and value not in STATUSES:
        raise DefinitionError(f'status is {value!r}; it must be one of {", ".join(STATUSES)}')
    return value


@frozen(kw_only=True)
class ExecutionFilter:
    """Which executions of a domain are listed; ``None`` leaves a filter out.

    Attributes:
        name: Of the workflow type.
        version: Of the workflow type.
        open: Those that are open, or those that are closed.
        tag: One of the execution's tags.
        since: They started at this time or later.
        status: ``OPEN``, or how they closed.
    """

    name: str | None = None
    version: str | None = None
    open: bool | None = None
    tag: str | None = None
    since: datetime | None = None
    status: str | None = field(default=None, converter=_status)

    def __attrs_post_init__(self) -> None:
        if self.since is not None and self.since.tzinfo is None:
            raise DefinitionError(f'since is {self.since.isoformat()}, without a time zone; give an aware time')

    def requests(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The operations to call, and with what."""
        if self.open is not False and self.status in (None, 'OPEN'):
            yield 'list_open_workflow_executions', self._request(closed=False)
        if self.open is not True and self.status != 'OPEN':
            yield 'list_closed_workflow_executions', self._request(closed=True)

    def takes(self, info: Mapping[str, Any]) -> bool:
        """Whether an execution that was listed passes every filter."""
        kind = info['workflowType']
        wanted = (
            (self.name, kind['name']),
            (self.version, kind['version']),
            (self.status, info.get('closeStatus', 'OPEN')),
        )
        tagged = self.tag is None or self.tag in info.get('tagList', ())
        return tagged and all(value is None or value == found for value, found in wanted)

    def _request(self, *, closed: bool) -> dict[str, Any]:
        # SWF requires a time; the oldest possible one means no limit.
        since: Any = 0 if self.since is None else self.since
        return {'startTimeFilter': {'oldestDate': since}, **self._selective(closed=closed)}

    def _selective(self, *, closed: bool) -> dict[str, Any]:
        if self.tag is not None:
            return {'tagFilter': {'tag': self.tag}}
        if self.name is not None:
            version = {} if self.version is None else {'version': self.version}
            return {'typeFilter': {'name': self.name, **version}}
        if closed and self.status is not None:
            return {'closeStatusFilter': {'status': self.status}}
        return {}


def newest_run(
    read: Callable[..., dict[str, Any]], kind: Literal['open', 'closed'], workflow_id: str
) -> dict[str, str] | None:
    """Workflow id and run id of the open or the latest closed run; ``None`` where there is none.

    Args:
        read: Makes a call for the domain.
        kind: ``open`` or ``closed``.
        workflow_id: Whose run.
    """
    filters = {'startTimeFilter': {'oldestDate': 0}, 'executionFilter': {'workflowId': workflow_id}}
    for info in read(f'list_{kind}_workflow_executions', maximumPageSize=1, **filters)['executionInfos']:
        ids: dict[str, str] = info['execution']
        return ids
    return None
