"""Reading a history: from memory as far as it is there, the rest from the file."""

from __future__ import annotations

from typing import Any

from genflow.local.operations.answers import EventTexts, Reading
from genflow.local.operations.paging import Span
from genflow.local.state.execution import Execution

__all__ = ['with_events']


def with_events(execution: Execution, page: Span, answer: dict[str, Any], *, reverse: bool) -> dict[str, Any] | Reading:
    """The answer with the events of the page."""
    tail, key = execution.tail, execution.key
    recent = tail.since(page.first, page.last)
    if page.first >= tail.first or not page.last:
        answer['events'] = EventTexts(reversed(recent) if reverse else recent)
        return answer
    older = min(page.last, tail.first - 1)

    def read(store: Any) -> dict[str, Any]:
        texts = [*store.events(key, page.first, older), *recent]
        answer['events'] = EventTexts(reversed(texts) if reverse else texts)
        return answer

    return Reading(read)
