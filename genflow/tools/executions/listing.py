"""Filters for executions: type, id, tag, status and time.

SWF accepts one filter besides the start time. The most selective one is sent, and the others are applied here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from genflow.tools.executions.follow import EPOCH, listed

__all__ = ['STATUSES', 'Wanted', 'counted', 'found', 'status_of']

Info = Mapping[str, Any]

STATUSES = ('open', 'completed', 'failed', 'timed-out', 'canceled', 'terminated', 'continued-as-new')
"""The states of an execution, as commands spell them."""


def status_of(info: Info) -> str:
    """The state of an execution that SWF lists, as commands spell it."""
    found: str = info.get('closeStatus') or info['executionStatus']
    return found.lower().replace('_', '-')


@frozen
class Wanted:
    """The filters of a list; one that is not given accepts every execution.

    Attributes:
        statuses: Of :data:`STATUSES`.
        type_name: The name of the workflow type.
        version: Its version.
        id_prefix: What the workflow id begins with.
        tag: Only executions with this tag.
        since: It started then or later.
        until: It started then or earlier.
    """

    statuses: frozenset[str] = frozenset(STATUSES)
    type_name: str | None = None
    version: str | None = None
    id_prefix: str = ''
    tag: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def includes(self, info: Info) -> bool:
        """Whether an execution that SWF lists passes every filter."""
        kind = info['workflowType']
        return (
            status_of(info) in self.statuses
            and self.type_name in (None, kind['name'])
            and self.version in (None, kind['version'])
            and info['execution']['workflowId'].startswith(self.id_prefix)
            and (self.tag is None or self.tag in info.get('tagList', ()))
        )

    def request(self, kind: str) -> dict[str, Any]:
        """The request for the ``open`` or the ``closed`` executions."""
        times = {'oldestDate': self.since or EPOCH} | ({} if self.until is None else {'latestDate': self.until})
        return {'startTimeFilter': times, **next(self._filters(kind), {})}

    def is_for_swf(self, kind: str) -> bool:
        """Whether SWF can do all of the filtering."""
        return not self.id_prefix and len(list(self._filters(kind))) <= 1 and self._has_one_status(kind)

    def kinds(self) -> list[str]:
        """Where to look: among the ``open`` executions, the ``closed`` ones, or both."""
        kinds = {'open': 'open' in self.statuses, 'closed': bool(self.statuses - {'open'})}
        return [kind for kind, is_wanted in kinds.items() if is_wanted]

    def _filters(self, kind: str) -> Iterator[dict[str, Any]]:
        if self.type_name is not None:
            version = {} if self.version is None else {'version': self.version}
            yield {'typeFilter': {'name': self.type_name, **version}}
        if self.tag is not None:
            yield {'tagFilter': {'tag': self.tag}}
        closed = self.statuses - {'open'}
        if kind == 'closed' and len(closed) == 1:
            yield {'closeStatusFilter': {'status': next(iter(closed)).upper().replace('-', '_')}}

    def _has_one_status(self, kind: str) -> bool:
        return kind == 'open' or len(self.statuses - {'open'}) in (1, len(STATUSES) - 1)


def found(client: Any, domain: str, wanted: Wanted) -> Iterator[Info]:
    """The executions that pass every filter, the latest start first."""
    lists = [listed(client, domain, kind, **wanted.request(kind)) for kind in wanted.kinds()]
    merged = heapq.merge(*lists, key=lambda info: info['startTimestamp'], reverse=True)
    return (info for info in merged if wanted.includes(info))


def counted(client: Any, domain: str, wanted: Wanted) -> tuple[int, bool]:
    """How many executions pass every filter, and whether there may be more than SWF counts."""
    total, is_cut = 0, False
    for kind in wanted.kinds():
        if wanted.is_for_swf(kind):
            method = getattr(client, f'count_{kind}_workflow_executions')
            answer = method(domain=domain, **wanted.request(kind))
            total, is_cut = total + answer['count'], is_cut or answer.get('truncated', False)
        else:
            total += sum(map(wanted.includes, listed(client, domain, kind, **wanted.request(kind))))
    return total, is_cut
