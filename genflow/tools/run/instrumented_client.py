"""A client that reports answered tasks and newly used task lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import evolve, frozen

__all__ = ['InstrumentedClient', 'task_lists_of']


@frozen(slots=False)
class InstrumentedClient:
    """Has the methods of the client behind it.

    Attributes:
        client: Does the work.
        answered: Called after each answer to a task, of deciders and activities alike.
        scheduled: Called with each task list that a decision names, before the decision is sent.
    """

    client: Any
    answered: Callable[[], None]
    scheduled: Callable[[str], None]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        return self._notifying(found) if name.startswith('respond_') else found

    def deferring(self) -> InstrumentedClient | None:
        """The same for a worker that takes its tasks in rounds; ``None`` if the client has nothing for one."""
        deferring = getattr(type(self.client), 'deferring', None)
        deferred = None if deferring is None else deferring(self.client)
        return None if deferred is None else evolve(self, client=deferred)

    def _notifying(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def respond(**request: Any) -> Any:
            for task_list in task_lists_of(request.get('decisions', ())):
                self.scheduled(task_list)
            try:
                return method(**request)
            finally:
                self.answered()

        return respond


def task_lists_of(decisions: Any) -> Iterator[str]:
    """The task lists that decisions, or events, put tasks of activities and children on."""
    for decision in decisions:
        for attributes in decision.values():
            if isinstance(attributes, Mapping) and isinstance(attributes.get('taskList'), Mapping):
                yield attributes['taskList']['name']
