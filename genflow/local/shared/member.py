"""One process's part in a file that several share: it leads or follows, and takes over when the leader is gone.

Theory of operation. The lock of the file (:mod:`genflow.local.store.filelock`) is the election: who gets it leads, that
is, has the file open and serves the others; everybody else finds in the lock file where the leader serves. A follower
learns of the leader's end from the connection that says that it is there, and tries for the lock itself, after a random
moment. Until somebody leads again, calls wait.

A call that the leader's end has cut off is repeated, perhaps by the process that leads now, for itself. So calls that
change something are numbered, and a call whose number was answered before gets that answer again (see
:mod:`genflow.local.state.answers`). A poll does too: it gets the task that it had taken.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any

from genflow.local import forks
from genflow.local.engine import lambdas
from genflow.local.engine.call_thread import CallThread
from genflow.local.engine.group_commit import Statistics
from genflow.local.engine.held_poll import HeldPoll
from genflow.local.engine.lambdas import Run
from genflow.local.engine.locked_state import Options
from genflow.local.engine.served import Poll
from genflow.local.engine.service import Service
from genflow.local.errors import FileInUse, LocalError, ServiceClosed, ServiceForked, StoreError
from genflow.local.http.http11 import LARGEST
from genflow.local.json_text import encode, portions
from genflow.local.shared.following import UNREACHABLE, Following, RemotePoll
from genflow.local.shared.leading import Leading
from genflow.local.shared.link import Abandoning, ConnectionLost
from genflow.local.shared.names import give_up, new_name
from genflow.local.shared.notice import Notice, RequiredOptions, read_notice
from genflow.local.shared.numbers import POLLS, Numbers
from genflow.local.shared.waiting import WaitForTasks
from genflow.local.state.answers import Caller
from genflow.local.state.known_types import TaskType
from genflow.steady_time import monotonic

__all__ = ['Member']

OPENING = 60.0
"""Seconds that somebody else may take to open the file."""

RETRY = 0.01
PAUSES = (0.005, 0.05)
"""Seconds that a follower waits before it tries for the lock: a random number between these."""

PART = LARGEST // 2
"""Bytes of events that are sent to the process that leads at a time; a single event is far smaller."""

SPREAD = 0.2
"""Seconds over which polls come back after a take-over."""

Role = Leading | Following


class Member:
    """One process's part in a file.

    Args:
        options: With which it leads.
        required: What a leader must have.

    Raises:
        FileInUse: Somebody has the file who does not share it, or not so.
        StoreError: It cannot be opened.
    """

    def __init__(self, options: Options, required: RequiredOptions) -> None:
        self._options = options
        self._required = required
        self._refusal: StoreError | None = None
        self._role: Role | None = None
        self._election_error: StoreError | None = None
        self._changing = threading.Lock()
        self._numbers = Numbers()
        self._functions: dict[str, tuple[Callable[..., Any], Run]] = {}
        self._types: set[TaskType] = set()
        self._pid = os.getpid()
        self.name = new_name()
        self._calls = CallThread()
        try:
            self._calls.call(self._begin)
        except BaseException:  # of the file, or of a signal handler
            self.close()
            raise

    def _begin(self) -> None:
        self._take_role(self._enter(patient=False))
        forks.register(self)

    def __del__(self) -> None:
        if getattr(self, '_role', None) is not None and os.getpid() == self._pid:
            self._calls.stop()
            give_up(self.name)
            if isinstance(self._role, Following):
                self._role.presence.shut()

    # The part of the service.

    @property
    def leads(self) -> bool:
        """Whether this process has the file open itself."""
        return isinstance(self._role, Leading)

    @property
    def own_service(self) -> Service | None:
        """The service of this process, which it is until it closes the file; ``None`` where it does not lead."""
        role = self._role
        return role.service if isinstance(role, Leading) else None

    def _enter(self, *, patient: bool) -> Role:
        """Lead, or follow who does.

        Args:
            patient: Wait for whoever has the file for himself.
        """
        began = monotonic()
        while True:
            self.check()
            try:
                return Leading(self._options, self.name)
            except FileInUse as error:
                notice = read_notice(error.notice)
                if notice is None and (error.notice or monotonic() - began > 1):
                    raise
                opening = notice is None or notice.state == 'opening' or (patient and notice.state == 'alone')
                if notice is not None and not opening and (following := self._follow(notice)) is not None:
                    return following
                if monotonic() - began > (OPENING if opening else UNREACHABLE):
                    raise
            time.sleep(RETRY)

    def _follow(self, notice: Notice) -> Following | None:
        """Follow the process that has the file; ``None`` where it cannot be reached."""
        notice.check(self._options.path, self._required)
        try:
            return Following(notice, self.name)
        except PermissionError:
            raise notice.of_another_user(self._options.path) from None
        except ConnectionLost:
            return None

    def _take_role(self, role: Role) -> None:
        """Have this part from now on."""
        if self._functions:
            self._offer_functions(role)
        if self._types:
            self._offer_types(role)
        with self._changing:
            is_closed = self._refusal is not None
            if not is_closed:
                self._role, self._election_error = role, None
        if is_closed:
            role.close(ends_tasks=False)
        elif isinstance(role, Following):  # not sooner: a leader that is gone at once is the one that is followed then
            threading.Thread(
                target=_watch, args=(weakref.ref(self), role), name='genflow-local-follower', daemon=True
            ).start()

    def _offer_functions(self, role: Role) -> None:
        """Have the leader know which functions are here."""
        if isinstance(role, Leading):
            for name, (function, run) in list(self._functions.items()):  # another thread may register one meanwhile
                role.service.register_lambda(name, function, run)
        else:
            role.control('functions', list(self._functions))

    def _offer_types(self, role: Role) -> None:
        """Have the leader know which types are declared here."""
        if isinstance(role, Leading):
            role.service.processes.declare_types(self.name, self._types)
        else:
            role.control('types', sorted(self._types))

    def leader_lost(self, role: Following) -> None:
        """The leader is gone: find another one, or lead."""
        role.link.close()
        with self._changing:
            if self._role is not role:
                return
            self._role = None
        time.sleep(random.uniform(*PAUSES))
        while self._refusal is None:
            with contextlib.suppress(ConnectionLost):
                try:
                    self._take_role(self._enter(patient=True))
                except StoreError as error:
                    self._election_error = error
                    time.sleep(1)
                else:
                    return

    def _current(self) -> Role:
        """The part, as soon as there is one."""
        while True:
            self.check()
            role = self._role
            if role is not None:
                return role
            if self._election_error is not None:
                raise type(self._election_error)(str(self._election_error))
            time.sleep(RETRY)

    def _retried(self, call: Callable[[Role, bool], Any]) -> Any:
        """Make a call, as often as its answer is lost."""
        again = False
        while True:
            role = self._current()
            try:
                return call(role, again)
            except ConnectionLost:
                again = True
                if self._role is role:
                    time.sleep(RETRY)

    def check(self) -> None:
        """See that calls can be made at all.

        Raises:
            ServiceForked: This process is a fork of the one that opened the file.
            ServiceClosed: The file was closed.
        """
        if self._refusal is not None:
            raise type(self._refusal)(str(self._refusal))

    # The operations of a service.

    def perform(
        self,
        operation: str,
        request: dict[str, Any],
        *,
        right: bool = False,
        owns: bool = True,
        abandoning: Abandoning | None = None,
    ) -> dict[str, Any] | None:
        """Carry out one operation; see :meth:`genflow.local.engine.service.Service.perform`."""
        role = self._current()
        if isinstance(role, Leading):
            return role.perform(operation, request, Caller(self.name, owns=owns), 0, right=right, again=False)
        ends = monotonic() + self.long_poll

        def call(role: Role, again: bool) -> dict[str, Any] | None:
            if again and operation in POLLS:
                if abandoning is not None and abandoning.is_over:
                    return None
                time.sleep(random.uniform(0, SPREAD))
            left = ends - monotonic()
            return role.perform(operation, request, caller, left, right=right, again=again, abandoning=abandoning)

        with self._numbers.caller(self.name, operation, owns=owns) as caller:
            try:
                answer: dict[str, Any] | None = self._retried(call)
            except LocalError:
                raise
            except BaseException:  # of a signal handler: nobody takes the task that the poll may have got
                if operation in POLLS:
                    self._calls.post(partial(self._give_up, caller.number))
                raise
        return answer

    def _give_up(self, number: int) -> None:
        role = self._role
        with contextlib.suppress(ConnectionLost, LocalError):
            if isinstance(role, Following):
                role.control('give-up', [number])

    def carry_out_round(self, answers: Sequence[Any], wants: Sequence[Any]) -> dict[str, Any]:
        """Answer tasks and take others; see :meth:`genflow.local.engine.rounds.Rounds.carry_out`."""
        with self._numbers.caller(self.name, 'Round', owns=True) as caller:
            found: dict[str, Any] = self._retried(lambda role, again: role.carry_out_round(answers, wants, caller))
        return found

    def wait_for_tasks(self, wants: Sequence[Any], ring: Callable[[], None]) -> WaitForTasks:
        """Have ``ring`` called, from any thread and once, when there may be a task, or another leader to ask."""
        return WaitForTasks(partial(self._wait_for_tasks, wants), wants, ring)

    def _wait_for_tasks(self, wants: Sequence[Any], place: WaitForTasks) -> None:
        role = self._current()
        if isinstance(role, Following):
            role.wait_for_tasks(wants, self.long_poll, place.abandoning)
        else:
            place.wait_here(role.service.rounds, wants, self.name, self.long_poll)

    def hold(self, operation: str, request: dict[str, Any], wake: Callable[[], None]) -> Poll:
        """Begin a long poll that waits without a thread of the caller."""
        role = self._current()
        if isinstance(role, Leading):
            return HeldPoll(role.service, operation, request, wake)

        def poll(abandoning: Abandoning) -> dict[str, Any]:
            return self.perform(operation, request, owns=False, abandoning=abandoning) or {}

        return RemotePoll(poll, self.long_poll, wake)

    @property
    def long_poll(self) -> float:
        """Seconds for which an empty poll is held."""
        return self._options.long_poll

    def register_lambda(self, name: str, function: Callable[..., Any], run: Run) -> None:
        """Have ScheduleLambdaFunction decisions of that name call ``function``, in this process."""
        self._functions[name] = function, run

        def register(role: Role, again: bool) -> None:
            if isinstance(role, Leading):
                role.service.register_lambda(name, function, run)
            else:
                self._offer_functions(role)

        self._retried(register)

    def declare_types(self, types: Iterable[TaskType]) -> None:
        """Have tasks of these types come to this process rather than to one that does not know them."""
        self._types |= set(types)
        self._retried(lambda role, again: self._offer_types(role))

    def run_function(self, role: Following, message: dict[str, Any]) -> None:
        """Run a function because the leader asks for it, and tell how it ended."""
        function, run = self._functions[message['function']]

        def work() -> None:
            outcome = lambdas.perform({'it': function}, 'it', encode(message['input']))
            answer: dict[str, Any] = {'job': message['job'], **outcome.attributes}
            if 'result' in answer:
                answer['result'] = json.loads(answer['result'])
            with contextlib.suppress(ConnectionLost, StoreError):
                role.control('ran', answer)

        run(work)

    @property
    def statistics(self) -> Statistics:
        """How many calls and commits there were."""

        def ask(role: Role, again: bool) -> Statistics:
            if isinstance(role, Leading):
                return role.service.statistics
            return Statistics(**role.control('statistics'))

        found: Statistics = self._retried(ask)
        return found

    def next_deadline(self) -> datetime | None:
        """When the service will next do something by itself."""

        def ask(role: Role, again: bool) -> datetime | None:
            if isinstance(role, Leading):
                return role.service.next_deadline()
            seconds = role.control('deadline')
            return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)

        found: datetime | None = self._retried(ask)
        return found

    def fork(
        self, domain: str, workflow_id: str, run_id: str, new_run_id: str, events: Sequence[Mapping[str, Any]]
    ) -> None:
        """Open a new run of a closed execution; see :meth:`genflow.local.engine.service.Service.fork`."""
        named = {'domain': domain, 'workflow_id': workflow_id, 'run_id': run_id, 'new_run_id': new_run_id}

        def ask(role: Role, again: bool) -> None:
            if isinstance(role, Leading):
                role.service.fork(**named, events=events)
                return
            first = 0
            for part in portions(events, PART):
                role.control('fork-events', [new_run_id, first, part])
                first += len(part)
            role.control('fork', named)

        self._retried(ask)

    def reset(self) -> None:
        """Forget everything: domains, types, executions. Waiting polls come back empty."""

        def ask(role: Role, again: bool) -> None:
            if isinstance(role, Leading):
                role.service.reset()
            else:
                role.control('reset')

        self._retried(ask)

    def close(self) -> None:
        """Leave the file to the others; nothing happens the second time, nor in a forked child."""
        if isinstance(self._refusal, ServiceForked):
            return
        try:
            self._calls.call(self._close)
        finally:
            self._calls.stop()

    def _close(self) -> None:
        with self._changing:
            self._refusal = self._refusal or ServiceClosed(f'{self._options.path}: the service is closed')
            role, self._role = self._role, None
        try:
            if role is not None:
                role.close(ends_tasks=self._options.abandon_started, given_up=self._numbers.waiting())
        finally:
            give_up(self.name)

    # Across a fork.

    def pause(self) -> None:
        """Before a fork, nobody changes the part."""
        self._changing.acquire()

    def resume(self) -> None:
        """In the parent."""
        self._changing.release()

    def orphan(self) -> None:
        """In the child: have no part, and close what would keep the leader waiting for this process."""
        self._refusal = ServiceForked(
            f'{self._options.path}: process {self._pid} opened this service, and a process forked from it cannot '
            'use it. Create a LocalSWF in the new process, which then shares the file; `genflow server --db FILE` '
            'shares it with programs in other languages.'
        )
        self._changing = threading.Lock()
        role, self._role = self._role, None
        if role is not None:
            forks.immortalize([role])
        if isinstance(role, Following):
            role.presence.close()
            role.link.abandon()


def _watch(member: weakref.ref[Member], role: Following) -> None:
    """The thread of a follower: see that the leader is there, as long as the member is."""

    def run_function(message: dict[str, Any]) -> None:
        found = member()
        if found is not None:
            found.run_function(role, message)

    role.watch(lambda: member() is not None, run_function)
    found = member()
    if found is not None:
        found.leader_lost(role)
