"""Cancels polls in flight, so that an idle worker does not have to wait for them when it stops.

Theory of operation. A poll that is cut off may be handed a task at that very moment, which then waits for its time-out.
Amazon SWF has no call that cancels a poll, so a worker waits until its polls return. The embedded service has
one: a poll with the header ``X-Genflow-Leaves`` is answered at once, and so are those that were sent before it by the
same identity to the same task list, each with a task or with nothing. A service that names itself ``genflow`` in its
responses knows the header; it is sent to no other service.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from genflow.swf.aws.connections import Connection

__all__ = ['OpenPolls']

HEADER = 'X-Genflow-Leaves'

PAUSE = 0.25
"""Seconds between two tries: a poll may have been on its way while earlier ones were cancelled."""

_OPERATIONS = {'decision': 'poll_for_decision_task', 'activity': 'poll_for_activity_task'}


@define(eq=False)
class OpenPolls:
    """The polls of one worker that are in flight.

    Attributes:
        connection: Where they are sent to.
        domain: Their domain.
        identity: Who sends them.
    """

    connection: Connection
    domain: str
    identity: str
    _open: Counter[tuple[str, str]] = field(factory=Counter, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @contextmanager
    def polling(self, kind: str, task_list: str) -> Iterator[None]:
        """Counts a poll while it is in flight; ``kind`` is ``decision`` or ``activity``."""
        self._count(kind, task_list, 1)
        try:
            yield
        finally:
            self._count(kind, task_list, -1)

    def take_back(self, stopped: threading.Event) -> None:
        """Cancels the polls until none is in flight or the worker has stopped, if the service can.

        It makes calls, so run it on a thread that no other thread waits for.
        """
        try:
            if not self._is_known():
                return
            while not stopped.is_set() and (polls := self._in_flight()):
                for kind, task_list in polls:
                    self._leave(_OPERATIONS[kind], task_list)
                stopped.wait(PAUSE)
        except Exception:  # noqa: BLE001 - then the polls return by themselves, as they would have
            return

    def _count(self, kind: str, task_list: str, change: int) -> None:
        with self._lock:
            self._open[kind, task_list] += change

    def _in_flight(self) -> list[tuple[str, str]]:
        with self._lock:
            return [poll for poll, number in self._open.items() if number > 0]

    def _is_known(self) -> bool:
        """Whether the service names itself in the headers of an answer, which only a client over HTTP has."""
        client = self.connection.client
        polls = self._in_flight()
        if not polls or not hasattr(getattr(client, 'meta', None), 'events'):
            return False
        _, task_list = polls[0]
        answer = client.count_pending_decision_tasks(domain=self.domain, taskList={'name': task_list})
        headers = answer.get('ResponseMetadata', {}).get('HTTPHeaders', {})
        return str(headers.get('server', '')) == 'genflow'

    def _leave(self, operation: str, task_list: str) -> None:
        client, thread = self.connection.client, threading.get_ident()

        def attempt_id(params: dict[str, Any], **_: Any) -> None:
            if threading.get_ident() == thread:  # other code may use the client too
                params['headers'][HEADER] = '1'

        client.meta.events.register('before-call.swf', attempt_id)
        try:
            getattr(client, operation)(domain=self.domain, taskList={'name': task_list}, identity=self.identity)
        finally:
            client.meta.events.unregister('before-call.swf', attempt_id)
