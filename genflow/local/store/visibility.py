"""The filters of lists and counts of executions, as a value and as the conditions of an SQL query."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from genflow.local.json_text import encode

__all__ = ['Query', 'conditions']


@frozen(kw_only=True)
class Query:
    """Executions of one domain.

    Attributes:
        open: Open ones; else closed ones.
        moment: ``'started'`` or ``'closed'``: what the bounds and the order are about.
        oldest, latest: bounds in milliseconds, both included.
        now: What is past its retention at this moment is gone.
        after: (moment, key) of the last execution of the page before.
        reverse: Oldest first.
    """

    domain: str
    open: bool
    moment: str
    oldest: int
    latest: int | None
    now: int
    workflow_id: str | None = None
    type_name: str | None = None
    type_version: str | None = None
    tag: str | None = None
    status: str | None = None
    after: tuple[int, int] | None = None
    reverse: bool = False
    limit: int = 1000


def conditions(query: Query) -> tuple[str, tuple[Any, ...]]:
    """The condition after WHERE, and the values for its question marks."""
    tag = None if query.tag is None else encode(query.tag)
    # A plus sign keeps SQLite from walking an index of moments where a workflow id picks out a handful of rows.
    moment = query.moment if query.workflow_id is None else f'+{query.moment}'
    possible: tuple[tuple[str, tuple[Any, ...], bool], ...] = (
        ('domain = ?', (query.domain,), True),
        ('status IS NULL', (), query.open),
        ('status IS NOT NULL', (), not query.open),
        ('expires > ?', (query.now,), not query.open),
        (f'{moment} >= ?', (query.oldest,), True),
        (f'{moment} <= ?', (query.latest,), query.latest is not None),
        ('workflow_id = ?', (query.workflow_id,), query.workflow_id is not None),
        ('type_name = ?', (query.type_name,), query.type_name is not None),
        ('type_version = ?', (query.type_version,), query.type_version is not None),
        ('key IN (SELECT execution FROM tags WHERE tag = ?)', (tag,), tag is not None),
        ('status = ?', (query.status,), query.status is not None),
        (f'({query.moment}, key) {">" if query.reverse else "<"} (?, ?)', query.after or (), query.after is not None),
    )
    chosen = [(text, values) for text, values, wanted in possible if wanted]
    return ' AND '.join(text for text, _ in chosen), tuple(value for _, values in chosen for value in values)
