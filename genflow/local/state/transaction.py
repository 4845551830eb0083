"""What a transaction will write: the changes of one or more calls, collected until their common commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import astuple, define, field

from genflow.local.json_text import encode
from genflow.local.state.items import Item

if TYPE_CHECKING:
    from genflow.local.state.answers import Caller
    from genflow.local.state.domains import Domain, TypeRecord
    from genflow.local.state.execution import Execution

__all__ = ['EVENT_BITS', 'EVENT_MASK', 'Batch']

EVENT_BITS = 20
"""Low bits of a ref that hold the event id; the rest is the execution's key."""

EVENT_MASK = (1 << EVENT_BITS) - 1


@define(eq=False)
class Batch:
    """The changes that will be committed together.

    Attributes:
        number: Batches are numbered from 1.
        events: Each with its ref.
        touched, dropped: items by ref; only their state at the end of the batch is written.
        started, closed, canceled: rows of executions that are new, changes of those that closed, keys of those whose
            cancellation was requested.
        domains, types: what was registered, changed or (a type that is None) deleted.
        answers: Of numbered calls, each with who made it.
    """

    number: int
    events: list[tuple[int, str]] = field(factory=list)
    touched: dict[int, Item] = field(factory=dict)
    dropped: dict[int, Item] = field(factory=dict)
    started: list[dict[str, Any]] = field(factory=list)
    closed: list[dict[str, Any]] = field(factory=list)
    canceled: list[int] = field(factory=list)
    domains: dict[str, Domain] = field(factory=dict)
    types: dict[tuple[str, str, str, str], TypeRecord | None] = field(factory=dict)
    answers: list[tuple[Caller, str]] = field(factory=list)

    @property
    def empty(self) -> bool:
        """Nothing to write."""
        return not (self.events or self.touched or self.domains or self.types or self.dropped or self.answers)

    @property
    def is_rare(self) -> bool:
        """It has more than events and items."""
        return bool(self.started or self.closed or self.canceled or self.domains or self.types)

    def absorb(self, later: Batch) -> None:
        """Add what a later batch changed."""
        self.number = later.number
        self.events += later.events
        self.touched.update(later.touched)
        for ref, item in later.dropped.items():
            self.touched.pop(ref, None)
            if item.folded:
                self.dropped[ref] = item
        if later.is_rare:
            self.started += later.started
            self.closed += later.closed
            self.canceled += later.canceled
            self.domains.update(later.domains)
            self.types.update(later.types)

    def drop(self, ref: int, item: Item) -> None:
        """The item's row, if it has one, goes."""
        self.touched.pop(ref, None)
        if item.saved:
            self.dropped[ref] = item

    def start(self, execution: Execution) -> None:
        """Add a new execution."""
        parent = execution.parent
        self.started.append(
            {
                'key': execution.key,
                'domain': execution.domain,
                'workflowId': execution.workflow_id,
                'runId': execution.run_id,
                'name': execution.type_name,
                'version': execution.type_version,
                'started': execution.started_at,
                'tags': [encode(tag) for tag in execution.tags],
                'about': {
                    'configuration': execution.configuration,
                    'parent': parent and astuple(parent),
                },
            }
        )

    def columns(self, *, folding: bool) -> tuple[str | None, ...]:
        """Everything as JSON texts, in the order of the store's ``batches`` view; None where there is nothing.

        Args:
            folding: The texts go into the tables, not into the journal; the events go there by themselves.
        """
        for item in self.touched.values():
            item.saved = True
            item.folded = item.folded or folding
        moves = (
            None if folding else members([f'"{ref}":{text}' for ref, text in self.events]),
            encode(sorted(self.dropped)) if self.dropped else None,
            members([f'"{ref}":{item.row()}' for ref, item in self.touched.items()]),
        )
        if not self.is_rare:
            return (*moves, None, None, None, None, None)
        return (
            *moves,
            encode(self.started) if self.started else None,
            encode(self.closed) if self.closed else None,
            encode(self.canceled) if self.canceled else None,
            encode([domain.row() for domain in self.domains.values()]) if self.domains else None,
            encode(self._types()) if self.types else None,
        )

    def _types(self) -> list[dict[str, Any]]:
        """Rows of the types; one without data is deleted."""
        return [
            {'domain': domain, 'kind': kind, 'name': name, 'version': version, 'data': record and record.data()}
            for (domain, kind, name, version), record in self.types.items()
        ]


def members(texts: Sequence[str]) -> str | None:
    """A JSON object of members that are JSON already; None where there are none."""
    return f'{{{",".join(texts)}}}' if texts else None
