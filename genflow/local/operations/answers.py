"""What a call gives back, before it becomes JSON or Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from attrs import frozen

from genflow.local.json_text import encode
from genflow.local.store import Store

__all__ = ['Answer', 'EventTexts', 'Reading', 'answer_text']


class EventTexts(list[str]):
    """Events that are JSON already.

    Attributes:
        objects: The same events as objects that nobody else has; ``None`` for one that has to be read.
    """

    objects: list[dict[str, Any] | None] | None = None

    def decoded(self) -> list[dict[str, Any]]:
        """The events as objects, new ones each time."""
        if self.objects is not None:
            given, self.objects = self.objects, None
            if None in given:
                given = [event or json.loads(text) for event, text in zip(given, self, strict=True)]
            return cast('list[dict[str, Any]]', given)
        events: list[dict[str, Any]] = json.loads(f'[{",".join(self)}]')
        return events


@frozen
class Reading:
    """An answer that must be read from the file."""

    read: Callable[[Store], dict[str, Any]]


Answer = dict[str, Any] | Reading | None


def answer_text(answer: dict[str, Any] | None) -> str:
    """The answer as JSON, with its events put in as they are; empty where there is none."""
    if answer is None:
        return ''
    events = answer.get('events')
    if not isinstance(events, EventTexts):
        return encode(answer)
    rest = encode({name: value for name, value in answer.items() if name != 'events'})
    return f'{{"events":[{",".join(events)}]' + (f',{rest[1:]}' if len(rest) > 2 else '}')  # noqa: PLR2004 - "{}"
