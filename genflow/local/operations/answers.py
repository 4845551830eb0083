"""What a call gives back, before it becomes JSON or Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from attrs import frozen

from genflow.local.json_text import encode
from genflow.local.requests.timestamps import moment
from genflow.local.store import Store

__all__ = ['Answer', 'EventTexts', 'Reading', 'answer_text']


class EventTexts(list[str]):
    """Events that are JSON already.

    Attributes:
        objects: The same events as boto3 gives them, where nobody else has these; ``None`` for one that has to be read.
    """

    objects: list[dict[str, Any] | None] | None = None

    def decoded(self) -> list[dict[str, Any]]:
        """The events in wire form, new ones each time."""
        events: list[dict[str, Any]] = json.loads(f'[{",".join(self)}]')
        return events

    def as_boto3(self) -> list[dict[str, Any]]:
        """The events as boto3 gives them, new ones each time."""
        given, self.objects = self.objects, None
        if given is None:
            return [with_moment(event) for event in self.decoded()]
        if None in given:
            given = [event or with_moment(json.loads(text)) for event, text in zip(given, self, strict=True)]
        return cast('list[dict[str, Any]]', given)


def with_moment(event: dict[str, Any]) -> dict[str, Any]:
    """The event in wire form, with its moment as boto3 has it."""
    event['eventTimestamp'] = moment(event['eventTimestamp'])
    return event


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
