"""The service: one entry for every operation.

A call is checked against the model and carried out under one lock; :mod:`genflow.local.engine.locked_state` has the
theory of operation. The rules are in :mod:`genflow.local.rules`, the operations in :mod:`genflow.local.operations`;
here is only their order.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from attrs import evolve

from genflow.local.clock import to_datetime
from genflow.local.engine import lambdas
from genflow.local.engine.calls import CALLS, OPERATIONS
from genflow.local.engine.forked_run import begin_forked_run
from genflow.local.engine.group_commit import Statistics
from genflow.local.engine.locked_state import LockedState, Options
from genflow.local.engine.processes import Processes
from genflow.local.engine.rounds import Rounds
from genflow.local.engine.served import Begun
from genflow.local.engine.taking import TaskTaker
from genflow.local.errors import LocalError, StoreError
from genflow.local.json_text import encode
from genflow.local.operations import tasks
from genflow.local.operations.answers import Answer, Reading, answer_text
from genflow.local.operations.executions import stored_run
from genflow.local.operations.lookup import domain_of
from genflow.local.requests import faults
from genflow.local.requests.validation import checked
from genflow.local.rules.decision_lambdas import settle_lambda
from genflow.local.state.answers import ANYBODY, Caller
from genflow.local.state.close_watchers import Wake
from genflow.local.state.task_lists import Waiter
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK
from genflow.steady_time import monotonic

__all__ = ['Service']


class Service:
    """All of SWF, on one file.

    Attributes:
        rounds: Takes and answers many tasks with one commit.
        processes: Knows of the other processes that share the file.
    """

    def __init__(self, options: Options) -> None:
        self._functions: dict[str, lambdas.Run] = {}
        self._core = LockedState(options, self._run_functions)
        self._state = self._core.state
        self._taker = TaskTaker(self._core)
        self.rounds = Rounds(self._core, self._taker)
        self.processes = Processes(self._core, self._taker)

    def perform(
        self, operation: str, request: Any, *, right: bool = False, caller: Caller = ANYBODY
    ) -> dict[str, Any] | None:
        """Carry out one operation; events of the answer are texts.

        Args:
            operation: Its name on the wire.
            request: Its members in wire form.
            right: The request has been found to be right.
            caller: Who asks for it; a numbered call that was carried out before gets its answer again.

        Raises:
            ServiceError: The service refuses.
            StoreError: The file cannot keep it.
        """
        self._core.store.check()
        if not right:
            request = self._right(operation, request)
        if operation in tasks.POLLS and not request.get('nextPageToken'):
            return self._poll(operation, request, caller)
        return self._core.calls.call(partial(self._carry_out, operation, request, caller))

    def _right(self, operation: str, request: Any) -> dict[str, Any]:
        if operation not in OPERATIONS:
            raise faults.fault('UnknownOperationException', f'SWF has no operation {operation!r}')
        right: dict[str, Any] = checked(operation, request)
        return right

    def begin(self, operation: str, request: Any, *, caller: Caller = ANYBODY) -> Begun:
        """As :meth:`perform`, up to the moment in which the file is waited for.

        Raises:
            ServiceError: The service refuses.
            StoreError: The file cannot be read.
        """
        self._core.store.check()
        request = self._right(operation, request)
        if operation in tasks.POLLS and not request.get('nextPageToken'):
            return Begun(lambda: answer_text(self.perform(operation, request, right=True, caller=caller)), is_long=True)
        answer, mark = self._core.calls.call(partial(self._change, operation, request, caller))
        return self._begun(answer, partial(self._core.deliver, answer, mark))

    def _begun(self, answer: Answer, deliver: Callable[[], dict[str, Any] | None]) -> Begun:
        return Begun(lambda: answer_text(self._core.calls.call(deliver)), isinstance(answer, Reading))

    def _carry_out(self, operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any] | None:
        """One operation that waits for nothing but the file."""
        return self._core.deliver(*self._change(operation, request, caller))

    def _change(self, operation: str, request: dict[str, Any], caller: Caller) -> tuple[Answer, int]:
        """The answer of one operation, and the batch that has to be in the file before it is given."""
        with self._core.lock:
            now = self._core.begin(operation)
            known = self._state.answers.find(caller)
            answer = self._answer(operation, request, now, caller) if known is None else json.loads(known)
            return answer, self._core.finish(now)

    def _answer(self, operation: str, request: dict[str, Any], now: int, caller: Caller) -> Answer:
        """Carry out a call, and keep the answer to a numbered one."""
        call = CALLS.get(operation, tasks.CONTINUE)
        answer = self._core.apply(call, self._state, request, now)
        if caller.number and not isinstance(answer, Reading):
            self._state.answer(caller, encode(answer))
        return answer

    def _poll(self, operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Take a task, or wait for one as long as polls are held."""
        ends = monotonic() + self._core.options.long_poll
        poll = _Poll(threading.current_thread())
        try:
            while True:
                left = ends - monotonic()
                stand = partial(Waiter, poll.poller) if left > 0 else None
                answer = self._core.calls.call(partial(self._attempt_for, poll, operation, request, stand, caller))
                if not isinstance(answer, Waiter):
                    return answer
                answer.wait(left)
        except LocalError:
            raise
        except BaseException:  # raised by a signal handler
            poll.is_over = True
            self._core.calls.post(partial(self._withdraw, poll))
            raise

    def _attempt_for(
        self, poll: _Poll, operation: str, request: dict[str, Any], stand: Callable[[], Waiter] | None, caller: Caller
    ) -> dict[str, Any] | Waiter:
        if not poll.has_begun:
            self._begin_poll(poll, operation)
        found = self._attempt(operation, request, lambda: poll.is_over, poll.place, stand, caller)
        if isinstance(found, Waiter):
            poll.place = found
            return found
        poll.place = None
        return self._deliver_task(operation, *found)

    def _begin_poll(self, poll: _Poll, operation: str) -> None:
        with self._core.lock:
            self._core.begin(operation)
            self._core.polls.saw(poll.poller)
        poll.has_begun = True

    def _withdraw(self, poll: _Poll) -> None:
        """Take a poll that was interrupted out of its line, and wake the next for what it may have been woken for."""
        with self._core.lock:
            if poll.place is not None and self._core.polls.stands(poll.place):
                queue = self._core.polls.leave(poll.place)
                if queue:
                    self._taker.wake_one(queue)

    def hold(self, operation: str, request: Any) -> dict[str, Any]:
        """Before the first :meth:`attempt` at a poll: whether it is right and permitted. The request, checked."""
        self._core.store.check()
        right: dict[str, Any] = checked(operation, request)
        self._core.calls.call(partial(self._permit, operation))
        return right

    def _permit(self, operation: str) -> None:
        with self._core.lock:
            self._core.begin(operation)

    def attempt(
        self,
        operation: str,
        request: dict[str, Any],
        gone: Callable[[], bool],
        before: Waiter | None,
        stand: Callable[[], Waiter] | None,
        caller: Caller = ANYBODY,
    ) -> Begun | Waiter:
        """Take a task, or stand in line for one.

        Args:
            operation: PollForActivityTask or PollForDecisionTask.
            request: Checked by :meth:`hold` or :meth:`perform`.
            gone: Says that nobody waits for the answer any more.
            before: Where the poll stood in line until now.
            stand: Makes the place where it stands from now on; None where it will not wait any longer.
            caller: Whose poll it is; one that took a task before gets it again.

        Returns:
            The answer, for which the file is still to be waited for, or the place in line where the poll stands.
        """
        found = self._core.calls.call(partial(self._attempt, operation, request, gone, before, stand, caller))
        if isinstance(found, Waiter):
            return found
        answer, mark = found
        return self._begun(answer, partial(self._deliver_task, operation, answer, mark))

    def _attempt(
        self,
        operation: str,
        request: dict[str, Any],
        gone: Callable[[], bool],
        before: Waiter | None,
        stand: Callable[[], Waiter] | None,
        caller: Caller,
    ) -> tuple[Answer, int | None] | Waiter:
        if self._core.store.forked:
            self._core.store.check()
        kind, take, _ = tasks.POLLS[operation]
        polls = self._core.polls
        with self._core.lock:
            if before is not None:
                polls.leave(before)
            if polls.closed or (before is not None and request['domain'] not in self._state.domains):
                return None, None  # the service was closed or emptied meanwhile
            now = self._core.tick()
            domain = domain_of(self._state, request).name
            queue = self._state.queue(kind, domain, request['taskList']['name'])
            given_up = gone() or caller.process in self._state.departed
            answer = self._taker.taken_before(request, now, caller)
            if answer is None and not given_up:
                taken = next(self._taker.tasks(take, request, now, queue, caller), None)
                answer = None if taken is None else taken[1]
            if answer is None and stand is not None and not given_up:
                place = stand()
                place.process = caller.process
                polls.enter(queue, place)
                polls.deadlines_changed()
                polls.skip()
                return place
            mark = self._core.finish(now)
            if answer is None and queue:
                self._taker.wake_one(queue)
        return answer, mark

    def _deliver_task(self, operation: str, answer: Answer, mark: int | None) -> dict[str, Any]:
        """What the poll is answered; without a mark there is nothing to wait for, and perhaps no file."""
        found = None if mark is None else self._core.deliver(answer, mark)
        return found or dict(tasks.POLLS[operation][2])

    # Lambda functions.

    def register_lambda(self, name: str, function: Callable[..., Any], run: lambdas.Run) -> None:
        """Have ScheduleLambdaFunction decisions of that name call ``function`` with their input's JSON value."""
        self._core.store.check()
        self._core.calls.call(partial(self._add_lambda, name, function, run))

    def _add_lambda(self, name: str, function: Callable[..., Any], run: lambdas.Run) -> None:
        with self._core.lock:
            self._state.functions[name] = function
            self._functions[name] = run

    def _run_functions(self) -> None:
        """Begin what was started; to be called after its start is durable."""
        with self._core.lock:
            written = self._core.journal.written
            due = [run for run in self._state.running if run.batch <= written]
            self._state.running = [run for run in self._state.running if run.batch > written]
            self._core.polls.busy += len(due)
        for run in due:
            begin = lambdas.find(self._functions, run.function) or lambdas.in_background
            begin(partial(self._run_function, run.ref, run.function, run.input))

    def _run_function(self, ref: int, name: str, text: str) -> None:
        outcome = lambdas.perform(self._state.functions, name, text)
        with self._core.lock:
            self._core.polls.busy -= 1
            if self._core.polls.closed:
                return
            now = self._core.tick()
            execution = self._state.find(ref >> EVENT_BITS)
            task = execution and execution.lambdas.get(ref & EVENT_MASK)
            if execution and task:
                ended = outcome.event_type, outcome.attributes
                self._core.apply(settle_lambda, self._state, execution, task, now, *ended)
            mark = self._core.finish(now)
            self._core.polls.skip()
        with contextlib.suppress(StoreError):  # the answer is dropped; the function times out
            self._core.deliver(None, mark)

    # Those who wait for an execution to close.

    def on_close(self, domain: str, workflow_id: str, run_id: str, wake: Wake) -> Callable[[], None]:
        """Have ``wake`` called once that run has closed and the file has it; at once if it is not open.

        Returns:
            To be called when nobody waits any more; never blocks.
        """
        self._core.store.check()
        return self._core.calls.call(partial(self._watch_close, domain, workflow_id, run_id, wake))

    def _watch_close(self, domain: str, workflow_id: str, run_id: str, wake: Wake) -> Callable[[], None]:
        with self._core.lock:
            execution = self._state.running_one(domain, workflow_id)
            if execution is not None and execution.run_id == run_id:
                self._state.close_watchers.add(execution.key, wake)
                return partial(self._state.close_watchers.discard, execution.key, wake)
        wake()
        return lambda: None

    # Runs that begin with a given history.

    def fork(
        self, domain: str, workflow_id: str, run_id: str, new_run_id: str, events: Sequence[Mapping[str, Any]]
    ) -> None:
        """Open a new run of a closed execution; see :meth:`genflow.local.client.LocalSWF.fork_run`.

        Args:
            domain: Of the execution.
            workflow_id: Of the execution, and of the new run.
            run_id: The closed run whose settings the new one has.
            new_run_id: Of the new run; a call with the id of the open run is repeated, and changes nothing.
            events: The new run's history in wire form.

        Raises:
            ServiceError: The run does not exist any more, another one is open, or the domain accepts no new one.
            StoreError: The file cannot keep it.
        """
        self._core.store.check()
        named = {'domain': domain, 'execution': {'workflowId': workflow_id, 'runId': run_id}}
        self._core.calls.call(partial(self._fork, named, new_run_id, events))

    def _fork(self, named: dict[str, Any], new_run_id: str, events: Sequence[Mapping[str, Any]]) -> None:
        with self._core.lock:
            now = self._core.begin('DescribeWorkflowExecution')
            domain_of(self._state, named)
            mark = self._core.finish(now)
        self._core.deliver(None, mark)
        self._core.journal.fold()
        row = self._core.read(Reading(partial(stored_run, request=named, now=now)))
        with self._core.lock:
            now = self._core.begin('StartWorkflowExecution')
            begin_forked_run(self._state, row, events, new_run_id, now)
            mark = self._core.finish(now)
        self._core.deliver(None, mark)

    # The whole service.

    def announce(self, notice: str) -> None:
        """Have other processes find this in the lock file."""
        self._core.store.announce(notice)

    @property
    def previous_notice(self) -> str:
        """What the lock file said about the owner before this one."""
        return self._core.store.previous_notice

    def check(self) -> None:
        """See that calls can be made at all.

        Raises:
            ServiceClosed: They cannot: the service was closed, or belongs to the parent of this process.
        """
        self._core.store.check()

    @property
    def long_poll(self) -> float:
        """Seconds for which an empty poll is held."""
        return self._core.options.long_poll

    @property
    def statistics(self) -> Statistics:
        """How many calls and commits there were, and what is open now."""
        with self._core.lock:
            state, now = self._state, self._core.clock.milliseconds()
            return evolve(
                self._core.journal.statistics,
                open_executions={domain: number for domain, number in state.population.items() if number},
                task_lists=[
                    (domain, kind, name, len(queue), queue.polls, max(0, now - (queue.oldest or now)) / 1000)
                    for (kind, domain, name), queue in state.queues.items()
                    if not queue.idle
                ],
            )

    def next_deadline(self) -> datetime | None:
        """When the service will next do something by itself."""
        self._core.store.check()
        return self._core.calls.call(self._next_deadline)

    def _next_deadline(self) -> datetime | None:
        with self._core.lock:
            first = self._state.deadlines.first()
            return None if first is None else to_datetime(first)

    def catch_up(self) -> None:
        """Do what has become due, although nobody calls."""
        self._core.catch_up()

    def reset(self) -> None:
        """Forgets everything: domains, types, executions. Waiting polls come back empty."""
        self._core.reset()

    def close(self) -> None:
        """Writes what is left and closes the file; waiting polls come back empty. Nothing happens the second time.

        In a forked child nothing happens at all: the service is the parent's.
        """
        self._core.close()


class _Poll:
    """A poll of a thread.

    Attributes:
        poller: The thread.
        has_begun: It was counted as a call, and is permitted.
        place: Where it stands in line.
        is_over: Nobody waits for its answer any more.
    """

    def __init__(self, poller: threading.Thread) -> None:
        self.poller = poller
        self.has_begun = False
        self.place: Waiter | None = None
        self.is_over = False
