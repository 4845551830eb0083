"""Filters the events of a history by text or regular expression, kind, failure and branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import fields, frozen

from genflow.insight import CodeView, ExecutionView
from genflow.tools.dashboard.events.event_rows import KINDS, has_failed, kind_of, operation_of, searchable
from genflow.tools.dashboard.events.regex import matching

__all__ = ['EventFilter']

Event = Mapping[str, Any]


@frozen
class EventFilter:
    """What is looked for: parameters of the page's URL.

    Attributes:
        q: A text, or a regular expression.
        regex: Whether it is one.
        kind: One of :data:`~genflow.tools.dashboard.events.event_rows.KINDS`.
        failed: Only what failed, timed out, was terminated or refused.
        branch: The name of a branch, where the code is known.
        number: The number of a call: only its events.
    """

    q: str = ''
    regex: str = ''
    kind: str = ''
    failed: str = ''
    branch: str = ''
    number: str = ''

    @classmethod
    def of(cls, params: Mapping[str, str]) -> EventFilter:
        found = {one.name: params.get(one.name, '').strip() for one in fields(cls)}
        found['kind'] = found['kind'] if found['kind'] in KINDS else ''
        return cls(**found)

    def params(self) -> dict[str, str]:
        """As parameters of a URL."""
        return {one.name: text for one in fields(type(self)) if (text := getattr(self, one.name))}

    @property
    def is_on(self) -> bool:
        return bool(self.params())

    def places(self, view: ExecutionView, code: CodeView | None) -> list[int]:
        """The places of the events that are shown, within the events of the view.

        Raises:
            PatternError: The regular expression cannot be used.
        """
        events = list(view.events)
        found = [place for place, event in enumerate(events) if self._passes(view, event, code)]
        if not self.q:
            return found
        texts = [searchable(view, events[place]) for place in found]
        if self.regex:
            return [found[place] for place in matching(self.q, texts)]
        wanted = self.q.casefold()
        return [place for place, text in zip(found, texts, strict=True) if wanted in text.casefold()]

    def _passes(self, view: ExecutionView, event: Event, code: CodeView | None) -> bool:
        return all(self._tests(view, event, code))

    def _tests(self, view: ExecutionView, event: Event, code: CodeView | None) -> Iterator[bool]:
        if self.kind:
            yield kind_of(event['eventType']) == self.kind
        if self.failed:
            yield has_failed(event)
        if self.branch or self.number:
            operation = operation_of(view, event)
            number = None if operation is None else operation.number
            if self.number:
                yield str(number) == self.number
            if self.branch:
                yield code is not None and number is not None and code.made_by.get(number) == self.branch
