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
import itertools
import json
import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any

import attrs

from genflow.local import forks
from genflow.local.engine import lambdas
from genflow.local.engine.call_thread import CallThread
from genflow.local.engine.group_commit import Statistics
from genflow.local.engine.held_poll import HeldPoll
from genflow.local.engine.lambdas import Run
from genflow.local.engine.served import Poll
from genflow.local.engine.service import Options, Service
from genflow.local.errors import FileInUse, LocalError, ServiceClosed, ServiceForked, StoreError
from genflow.local.json_text import encode
from genflow.local.shared.front import POLLS, Front
from genflow.local.shared.link import HOLD, NUMBER, OWNS, WAITS_FROM, ConnectionLost, Link
from genflow.local.shared.names import give_up, is_alive, new_name
from genflow.local.shared.notice import Demands, Notice, options_of, read_notice
from genflow.local.shared.sockets import discard
from genflow.local.state.answers import Caller
from genflow.steady_time import monotonic

LOG = logging.getLogger(__name__)

OWNERS_RETURN = 3.0
"""Seconds after a take-over in which the processes that have tasks must be there again."""

OPENING = 60.0
"""Seconds that somebody else may take to open the file."""

UNREACHABLE = 10.0
"""Seconds for which a leader that cannot be reached is waited for."""

SILENCE = 10.0
"""Seconds without a sign of life after which the leader may be stopped."""

RETRY = 0.01
PAUSES = (0.005, 0.05)
"""Seconds that a follower waits before it tries for the lock: a random number between these."""

SPREAD = 0.2
"""Seconds over which polls come back after a take-over."""

READS = ('List', 'Count', 'Describe', 'Get')
"""How the names of the operations begin that change nothing, and so can simply be repeated."""


class Numbers:
    """The numbers of this process's calls; without a lock, which an exception of a signal handler might leave taken."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, int] = {}

    @contextlib.contextmanager
    def caller(self, process: str, operation: str, *, owns: bool) -> Iterator[Caller]:
        """Who makes a call, while it is made."""
        if operation.startswith(READS):
            yield Caller(process, owns=owns)
            return
        thread = threading.get_ident()
        before = self._waiting.get(thread)  # of a call that a signal handler has interrupted to make this one
        self._waiting[thread] = before or 0
        number = next(self._numbers)
        self._waiting[thread] = before or number
        try:
            yield Caller(process, number, min(list(self._waiting.values())), owns)
        finally:
            if before is None:
                self._waiting.pop(thread, None)

    def waiting(self) -> list[int]:
        """The numbers of the calls that are under way."""
        return [number for number in list(self._waiting.values()) if number]


class Leading:
    """This process has the file open, and serves the others.

    Raises:
        FileInUse: somebody else has it.
        StoreError: it cannot be opened.
    """

    def __init__(self, options: Options, process: str) -> None:
        self._process = process
        opening = Notice(state='opening', process=process).text()
        self.service = Service(attrs.evolve(options, notice=opening, is_alive=is_alive))
        self._front: Front | None = None
        self._functions: dict[str, list[str]] = {}
        self._jobs: dict[str, _Job] = {}
        try:
            self._serve(options)
        except BaseException:
            self.service.close()
            raise
        self._part_with_the_dead()

    def _serve(self, options: Options) -> None:
        before = read_notice(self.service.previous_notice)
        if before is not None and before.address:
            discard(before.address)
        about = partial(Notice, process=self._process, options=options_of(options))
        try:
            self._front = front = Front(self.service, os.path.realpath(options.path))
        except OSError as error:
            self.service.announce(about(state='alone', why=f'no socket can be made ({error})').text())
            return
        front.ran = self._ran
        front.offers = self._offers
        self.service.announce(about(state='leading', address=front.address, secret=front.secret).text())

    def _part_with_the_dead(self) -> None:
        """Forget who is no more, and give the others a while to come back."""
        others = self.service.owners() - {self._process}
        for process in others:
            if not is_alive(process):
                self.service.dismiss(process)
        living = {process for process in others if is_alive(process)}
        if living:
            timer = threading.Timer(OWNERS_RETURN, _end_absent, (weakref.ref(self), living))
            timer.daemon = True
            timer.start()

    def end_absent(self, expected: set[str]) -> None:
        """Take those for dead who have not come back."""
        here = set(self._front.followers) if self._front else set()
        for process in expected - here:
            self.service.dismiss(process)
            self.service.end_tasks_of(process)

    def perform(
        self, operation: str, request: dict[str, Any], caller: Caller, hold: float, *, right: bool, again: bool
    ) -> dict[str, Any] | None:
        """Carry out a call of this process; only one that is repeated needs its number."""
        who = caller if again else Caller(caller.process, owns=caller.owns)
        return self.service.perform(operation, request, right=right, caller=who)

    # Functions that followers have registered.

    def _offers(self, process: str, names: list[str]) -> None:
        """A follower runs the functions of these names, from now on."""
        self._functions[process] = names
        for name in names:
            self.service.register_lambda(name, partial(self._run_there, process, name), lambdas.in_background)
        for job in [job for job in self._jobs.values() if job.process == process and not names]:
            job.end({'reason': 'ProcessDied', 'details': 'the process that ran the function has ended'})

    def _run_there(self, process: str, name: str, value: Any) -> Any:
        """In a thread: have the follower run it, and wait."""
        if self._front is None or process not in self._front.followers:
            raise lambdas.FunctionFailure('ResourceNotFoundException', f'Function not found: {name}')
        job = _Job(process)
        self._jobs[job.name] = job
        try:
            self._front.tell(process, {'job': job.name, 'function': name, 'input': value})
            return job.result()
        finally:
            del self._jobs[job.name]

    def _ran(self, process: str, outcome: dict[str, Any]) -> None:
        """A follower tells how a function ended."""
        job = self._jobs.get(outcome['job'])
        if job is not None:
            job.end(outcome)

    def close(self, *, keeps_tasks: bool, given_up: Sequence[int] = ()) -> None:
        """Leave in order; calls of this process itself have no numbers that could be given up."""
        if self._front is not None:
            self._front.stop()
        if not keeps_tasks:
            with contextlib.suppress(StoreError):
                self.service.release_tasks_of(self._process)
        self.service.close()


class _Job:
    """A function that runs in a follower."""

    def __init__(self, process: str) -> None:
        self.name = os.urandom(8).hex()
        self.process = process
        self._outcome: dict[str, Any] = {}
        self._done = threading.Event()

    def end(self, outcome: dict[str, Any]) -> None:
        self._outcome = outcome
        self._done.set()

    def result(self) -> Any:
        self._done.wait()
        if 'reason' in self._outcome:
            raise lambdas.FunctionFailure(self._outcome['reason'], self._outcome.get('details'))
        return self._outcome.get('result')


def _end_absent(leading: weakref.ref[Leading], expected: set[str]) -> None:
    found = leading()
    if found is not None:
        with contextlib.suppress(StoreError):
            found.end_absent(expected)


class Following:
    """This process calls the leader.

    Raises:
        ConnectionLost: there is none at that address.
    """

    def __init__(self, notice: Notice, process: str) -> None:
        self.leader = notice
        self.process = process
        self.link = Link(notice, process)
        self.presence = stream = self.link.stream()
        try:
            stream.send(self.link.request('/_genflow/presence', {}, ''))
            stream.response()
        except BaseException:  # it was about to end
            stream.close()
            raise

    def perform(
        self, operation: str, request: dict[str, Any], caller: Caller, hold: float, *, right: bool, again: bool
    ) -> dict[str, Any] | None:
        """Have the leader carry out a call."""
        polls = operation in POLLS and not request.get('nextPageToken')
        headers: dict[str, object] = {NUMBER: caller.number, WAITS_FROM: caller.waits_from, OWNS: int(caller.owns)}
        if polls:
            headers[HOLD] = max(0.0, hold)
        response = self.link.perform(operation, request, headers)
        answer: dict[str, Any] | None = json.loads(response.body) if response.body else None
        if polls and response.is_last and not (answer and answer.get('taskToken')):
            raise ConnectionLost('the leader leaves, and had no task')
        return answer

    def control(self, what: str, body: Any = None) -> Any:
        """Ask the leader for something that is no operation of SWF."""
        return json.loads(self.link.call(f'/_genflow/{what}', {}, encode(body)).body)

    def close(self, *, keeps_tasks: bool, given_up: Sequence[int] = ()) -> None:
        """Leave in order; a process that keeps its tasks loses them at once.

        Args:
            keeps_tasks: do so.
            given_up: the numbers of calls whose answers nobody waits for any more.
        """
        if not keeps_tasks:
            with contextlib.suppress(ConnectionLost):
                self.presence.send(f'{list(given_up)}\n'.encode())
        self.presence.shut()
        self.link.close()


Role = Leading | Following


class RemotePoll:
    """A long poll behind the leader, for a front of this process: a thread waits for it."""

    def __init__(self, poll: Callable[[], dict[str, Any]], hold: float, wake: Callable[[], None]) -> None:
        self.hold = hold + UNREACHABLE
        self._poll = poll
        self._wake = wake
        self._answer: str | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def attempt(self, *, last: bool = False) -> str | None:
        """The answer, if it is there."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name='genflow-local-poll', daemon=True)
            self._thread.start()
        if last:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._answer

    def _run(self) -> None:
        try:
            self._answer = encode(self._poll())
        except Exception as error:  # noqa: BLE001 - whoever polls gets it
            self._error = error
        self._wake()

    def abandon(self) -> None:
        """The task that the poll may still get waits for its time-out."""


class Member:
    """One process's part in a file.

    Args:
        options: with which it leads.
        demands: what a leader must have.

    Raises:
        FileInUse: somebody has the file who does not share it, or not so.
        StoreError: it cannot be opened.
    """

    def __init__(self, options: Options, demands: Demands) -> None:
        self._options = options
        self._demands = demands
        self._refusal: StoreError | None = None
        self._role: Role | None = None
        self._trouble: StoreError | None = None
        self._changing = threading.Lock()
        self._numbers = Numbers()
        self._functions: dict[str, tuple[Callable[..., Any], Run]] = {}
        self._pid = os.getpid()
        self.name = new_name()
        self._calls = CallThread()
        try:
            self._calls.call(self._begin)
        except BaseException:  # of the file, or of a signal handler
            self.close()
            raise

    def _begin(self) -> None:
        self._assume(self._enter(patient=False))
        forks.register(self)

    def __del__(self) -> None:
        if getattr(self, '_role', None) is not None and os.getpid() == self._pid:
            self._calls.stop()
            give_up(self.name)
            if isinstance(self._role, Following):
                self._role.presence.shut()

    # The part.

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
            patient: wait for whoever has the file for himself.
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
                if notice is not None and not opening:
                    notice.check(self._options.path, self._demands)
                    try:
                        return Following(notice, self.name)
                    except PermissionError:
                        raise notice.of_another_user(self._options.path) from None
                    except ConnectionLost:
                        pass
                if monotonic() - began > (OPENING if opening else UNREACHABLE):
                    raise
            time.sleep(RETRY)

    def _assume(self, role: Role) -> None:
        """Have this part from now on."""
        for name, (function, run) in self._functions.items():
            if isinstance(role, Leading):
                role.service.register_lambda(name, function, run)
        if isinstance(role, Following):
            if self._functions:
                role.control('functions', list(self._functions))
            threading.Thread(
                target=_watch, args=(weakref.ref(self), role), name='genflow-local-follower', daemon=True
            ).start()
        with self._changing:
            if self._refusal is None:
                self._role, self._trouble = role, None
                return
        role.close(keeps_tasks=False)  # closed meanwhile

    def lost(self, role: Following) -> None:
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
                    self._assume(self._enter(patient=True))
                except StoreError as error:
                    self._trouble = error
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
            if self._trouble is not None:
                raise type(self._trouble)(str(self._trouble))
            time.sleep(RETRY)

    def _repeat(self, call: Callable[[Role, bool], Any]) -> Any:
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
            ServiceForked: this process is a fork of the one that opened the file.
            ServiceClosed: the file was closed.
        """
        if self._refusal is not None:
            raise type(self._refusal)(str(self._refusal))

    # What a service can.

    def perform(
        self, operation: str, request: dict[str, Any], *, right: bool = False, owns: bool = True
    ) -> dict[str, Any] | None:
        """Carry out one operation; see :meth:`genflow.local.engine.service.Service.perform`."""
        role = self._current()
        if isinstance(role, Leading):
            return role.perform(operation, request, Caller(self.name, owns=owns), 0, right=right, again=False)
        ends = monotonic() + self.long_poll

        def call(role: Role, again: bool) -> dict[str, Any] | None:
            if again and operation in POLLS:
                time.sleep(random.uniform(0, SPREAD))
            return role.perform(operation, request, caller, ends - monotonic(), right=right, again=again)

        with self._numbers.caller(self.name, operation, owns=owns) as caller:
            try:
                answer: dict[str, Any] | None = self._repeat(call)
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

    def hold(self, operation: str, request: dict[str, Any], wake: Callable[[], None]) -> Poll:
        """Begin a long poll that waits without a thread of the caller."""
        role = self._current()
        if isinstance(role, Leading):
            return HeldPoll(role.service, operation, request, wake)
        return RemotePoll(lambda: self.perform(operation, request, owns=False) or {}, self.long_poll, wake)

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
                role.control('functions', list(self._functions))

        self._repeat(register)

    def run_function(self, role: Following, message: dict[str, Any]) -> None:
        """Run a function because the leader asks for it, and tell how it ended."""
        function, run = self._functions[message['function']]

        def work() -> None:
            outcome = lambdas.perform({'it': function}, 'it', encode(message['input']))
            told: dict[str, Any] = {'job': message['job'], **outcome.attributes}
            if 'result' in told:
                told['result'] = json.loads(told['result'])
            with contextlib.suppress(ConnectionLost, StoreError):
                role.control('ran', told)

        run(work)

    @property
    def statistics(self) -> Statistics:
        """How many calls and commits there were."""

        def ask(role: Role, again: bool) -> Statistics:
            if isinstance(role, Leading):
                return role.service.statistics
            return Statistics(**role.control('statistics'))

        found: Statistics = self._repeat(ask)
        return found

    def next_deadline(self) -> datetime | None:
        """When the service will next do something by itself."""

        def ask(role: Role, again: bool) -> datetime | None:
            if isinstance(role, Leading):
                return role.service.next_deadline()
            seconds = role.control('deadline')
            return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)

        found: datetime | None = self._repeat(ask)
        return found

    def reset(self) -> None:
        """Forget everything: domains, types, executions. Waiting polls come back empty."""

        def ask(role: Role, again: bool) -> None:
            if isinstance(role, Leading):
                role.service.reset()
            else:
                role.control('reset')

        self._repeat(ask)

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
                role.close(keeps_tasks=self._options.abandon_started, given_up=self._numbers.waiting())
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
    """The thread of a follower: see that the leader is there."""
    try:
        _follow(member, role)
    finally:
        role.presence.close()
    found = member()
    if found is not None:
        found.lost(role)


def _follow(member: weakref.ref[Member], role: Following) -> None:
    """Until the leader is gone, or the member."""
    said = False
    while member() is not None:
        try:
            role.presence.set_timeout(SILENCE)
            line = role.presence.line()
        except TimeoutError:
            if not said:
                said = True
                LOG.warning(
                    'Process %s, which leads the file, does not respond; it may be suspended. Calls wait for it.',
                    role.leader.process.partition('.')[0],
                )
            continue
        except (ConnectionLost, OSError):
            return
        found = member()
        if line and found is not None:
            found.run_function(role, json.loads(line))
        del found
