"""The part of the process that leads: it has the file open, and serves the others."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any

from attrs import evolve

from genflow.local.engine import lambdas
from genflow.local.engine.locked_state import Options
from genflow.local.engine.service import Service
from genflow.local.errors import StoreError
from genflow.local.shared.front import Front
from genflow.local.shared.link import Abandoning
from genflow.local.shared.names import is_alive
from genflow.local.shared.notice import Notice, options_of, read_notice
from genflow.local.shared.round_calls import carry_out, round_body
from genflow.local.shared.sockets import discard
from genflow.local.state.answers import Caller

__all__ = ['Leading']

OWNERS_RETURN = 3.0
"""Seconds between two looks, after a take-over, at whether the processes that have tasks are there again."""

OWNERS_LOOKS = 10
"""Looks after which one that lives and has not come back loses its tasks; one that has died loses them at once."""


class Leading:
    """This process has the file open, and serves the others.

    Raises:
        FileInUse: Somebody else has it.
        StoreError: It cannot be opened.
    """

    def __init__(self, options: Options, process: str) -> None:
        self._process = process
        opening = Notice(state='opening', process=process).text()
        self.service = Service(evolve(options, notice=opening, is_alive=is_alive))
        self._front: Front | None = None
        self._functions: dict[str, list[str]] = {}
        self._jobs: dict[str, _Job] = {}
        self.is_closed = False
        try:
            self._serve(options)
        except BaseException:
            self.service.close()
            raise
        self._forget_dead_processes()

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
        front.function_ended = self._function_ended
        front.functions_offered = self._register_functions
        self.service.announce(about(state='leading', address=front.address, secret=front.secret).text())

    def _forget_dead_processes(self) -> None:
        """Forget who is no more, and give the others a while to come back."""
        others = self.service.processes.owners() - {self._process}
        for process in others:
            if not is_alive(process):
                self.service.processes.dismiss(process)
        self._expect({process for process in others if is_alive(process)}, OWNERS_LOOKS)

    def _expect(self, processes: set[str], looks: int) -> None:
        if processes:
            timer = threading.Timer(OWNERS_RETURN, _look_for, (weakref.ref(self), processes, looks - 1))
            timer.daemon = True
            timer.start()

    def look_for(self, expected: set[str], looks: int) -> None:
        """End the tasks of those who have not come back and have died meanwhile; of all, if it is the last look."""
        here = set(self._front.followers) if self._front else set()
        absent = expected - here
        gone = {process for process in absent if not looks or not is_alive(process)}
        for process in gone:
            self.service.processes.dismiss(process)
            self.service.processes.end_tasks_of(process)
        self._expect(absent - gone, looks)

    def perform(
        self,
        operation: str,
        request: dict[str, Any],
        caller: Caller,
        hold: float,
        *,
        right: bool,
        again: bool,
        abandoning: Abandoning | None = None,
    ) -> dict[str, Any] | None:
        """Carry out a call of this process; only one that is repeated needs its number."""
        who = caller if again else Caller(caller.process, owns=caller.owns)
        return self.service.perform(operation, request, right=right, caller=who)

    def carry_out_round(self, answers: Sequence[Any], wants: Sequence[Any], caller: Caller) -> dict[str, Any]:
        """Carry out a round of this process, which went through another leader before."""
        return carry_out(self.service.rounds, caller.process, round_body(answers, wants, caller))

    # Functions that followers have registered.

    def _register_functions(self, process: str, names: list[str]) -> None:
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
            self._front.send(process, {'job': job.name, 'function': name, 'input': value})
            return job.result()
        finally:
            del self._jobs[job.name]

    def _function_ended(self, process: str, outcome: dict[str, Any]) -> None:
        """A follower tells how a function ended."""
        job = self._jobs.get(outcome['job'])
        if job is not None:
            job.end(outcome)

    def close(self, *, ends_tasks: bool, given_up: Sequence[int] = ()) -> None:
        """Leave; see :meth:`genflow.local.shared.following.Following.close`.

        Calls of this process itself have no numbers that could be given up.
        """
        self.is_closed = True
        if self._front is not None:
            self._front.stop()
        if not ends_tasks:
            with contextlib.suppress(StoreError):
                self.service.processes.release_tasks_of(self._process)
        self.service.close()


def _look_for(leading: weakref.ref[Leading], expected: set[str], looks: int) -> None:
    found = leading()
    if found is not None and not found.is_closed:  # nobody comes back to one that is; who leads next looks anew
        with contextlib.suppress(StoreError):
            found.look_for(expected, looks)


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
