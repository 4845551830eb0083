"""The tester: a workflow runs to its end on an in-memory service, in one thread, on a clock that skips.

``Tester(Order, charge=Script(Fail('declined'), 'ok')).run(1)`` does everything that workers would do: it makes
decisions with the engine, runs activities or their stubs, and moves the clock to the next deadline when nothing else is
left to do. The steps run one by one on the thread of the test, in an order that depends on the code alone: decisions
first, then activities, then time. If a worker would hold the execution, the test ends with the error at once.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar, overload

import attrs

from genflow.core.authoring.proxies import WorkflowProxy
from genflow.core.authoring.updates import UpdateMethod
from genflow.core.authoring.workflow import Workflow
from genflow.core.model.options import MAX_SECONDS
from genflow.core.model.registry import WorkflowSpec, declared
from genflow.core.payloads.fitting import check_fit
from genflow.core.payloads.writing import written, written_arguments
from genflow.core.tasks.signals import Signal, nearest_signal, signal_name, signals_of
from genflow.insight import ExecutionView
from genflow.local import LocalSWF, ManualClock
from genflow.local.errors import ServiceClosed
from genflow.local.state.limits import LARGE_PAGES
from genflow.swf.aws import faults
from genflow.swf.client.handles import Client
from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.wire.close_events import ENDINGS, result_of
from genflow.testing.histories.history import History
from genflow.testing.histories.open_items import first_items
from genflow.testing.tester.decider import Decider
from genflow.testing.tester.doubles import Doubles
from genflow.testing.tester.environment import DOMAIN, Environment
from genflow.testing.tester.open_tasks import described
from genflow.testing.tester.stub_runner import StubRunner
from genflow.testing.tester.stubs import TesterError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ['Stuck', 'Tester']

U = TypeVar('U')

START = datetime(2000, 1, 1, tzinfo=timezone.utc)

LIMITS = attrs.evolve(LARGE_PAGES, kept_days=366_000)
"""A test may let any time pass and look at what has closed long ago."""

MAX_STEPS = 100_000
"""Steps after which a workflow that goes on and on ends the test."""


class Stuck(TesterError):
    """The workflow waits for something that only the test can do, such as a signal."""


class Tester:
    """Runs one execution of a workflow.

    Args:
        workflow: The class, decorated or not.
        stubs: Stand in for activities, children and Lambda functions. A key is the attribute of a proxy, the proxy,
            the class, or ``(name, version)``; the last three also reach what a child calls.
        now: The time at which the test begins, with a time zone. Default: 2000-01-01 UTC.
        seed: Of ``self.random``, ``self.uuid4()`` and the jitter of retries; each execution has streams of its own.
        sticky: Keep the generator between decisions, as a worker does. Otherwise each decision replays from event 1,
            which finds code that is not deterministic.
        create: Makes an instance of an activity class, for classes whose constructor takes arguments.
        service: A ``LocalSWF`` with a ``ManualClock``. Default: one in memory.
        workflow_id: Of the execution.
        **by_attribute: Stubs by the attributes of their proxies.

    Raises:
        TesterError: A stub is for something that neither the workflow nor a child calls, or several classes may be
            the real one.

    Attributes:
        service: The service; any client of SWF may look into it.
        clock: Its clock.
    """

    __test__ = False  # pytest collects classes whose names begin with Test

    def __init__(
        self,
        workflow: type[Workflow] | WorkflowSpec,
        /,
        *,
        stubs: Mapping[Any, Any] | None = None,
        now: datetime = START,
        seed: Any = 0,
        sticky: bool = False,
        create: Callable[[type], Any] = lambda cls: cls(),
        service: LocalSWF | None = None,
        workflow_id: str = 'workflow-1',
        **by_attribute: Any,
    ) -> None:
        self._workflow = workflow
        self._doubles = Doubles.of(workflow, {**(stubs or {}), **by_attribute})
        self.service = (
            service if service is not None else LocalSWF(clock=ManualClock(now), limits=LIMITS, interruptible=True)
        )
        self._release: Callable[[], Any] = lambda: None
        if service is None:
            self._release = weakref.finalize(self, self.service.close)
        self._environment = Environment(self.service, self._doubles)
        self._decider = Decider(self._environment, str(seed), sticky)
        self._stub_runner = StubRunner(self._environment, create)
        self._workflow_id = workflow_id
        self._run_id = ''
        self._runs: list[str] = []
        self._steps = 0
        self._may_have_ended = True

    # the whole execution

    def run(self, /, *args: Any, **kwargs: Any) -> Any:
        """Runs the workflow with these arguments to its end, through its restarts, and returns its result.

        Raises:
            Exception: What the workflow raised, with its own traceback.
            GenflowError: It cannot be decided (``NondeterminismError``, ``WorkflowStalled``, …).
            ChildFailed: It closed otherwise: ``ChildTimedOut``, ``ChildCanceled``, ``ChildTerminated``.
            Stuck: The workflow waits for something that only the test can do, such as a signal.
        """
        __tracebackhide__ = True
        return self.start(*args, **kwargs).result()

    def result(self) -> Any:
        """Continues to the end and returns the result. Raises as :meth:`run`."""
        __tracebackhide__ = True
        ending = self._ending()
        while ending is None:
            if self.step() is None and not self.is_closed:
                raise Stuck(self._waits())
            ending = self._ending()
        return result_of(ending, self._doubles.lead.cls())

    def close(self) -> None:
        """Closes the cached generators, and the service if the tester made it. May be called twice."""
        self._decider.close()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # step by step

    def start(self, /, *args: Any, **kwargs: Any) -> Tester:
        """Starts the execution with the arguments of ``run``, without a decision yet, and returns this tester.

        Raises:
            TesterError: It was started already.
            TypeError: The arguments do not fit ``run``.
        """
        if self._run_id:
            raise TesterError(
                'this tester has already started its execution; create another Tester for another execution'
            )
        lead = self._doubles.lead.cls()
        text = written_arguments(f'{type(lead).__qualname__}.run', lead._serialize_arguments, args, kwargs)
        _check_arguments(lead, text)
        self._run_id = self._environment.start(self._workflow_id, text)
        self._runs.append(self._run_id)
        self._may_have_ended = False
        return self

    def step(self) -> str | None:
        """Does one step: makes a decision, runs an activity, or moves the clock to the next deadline.

        Returns:
            A description of the step; ``None`` if nothing is left to do, or nothing would happen before the
            execution itself times out.

        Raises:
            Exception: As :meth:`run`.
        """
        __tracebackhide__ = True
        if self._ending() is not None:
            return None
        done = self._work()
        return done if done is not None or self.is_closed else self._skip()

    def advance(self, **time: float) -> Tester:
        """Moves the clock, with the arguments of ``timedelta``, and does everything that is due until then.

        Raises:
            ValueError: The time would be earlier.
            Exception: As :meth:`run`.
        """
        __tracebackhide__ = True
        passed = timedelta(**time)
        if passed < timedelta(0):
            raise ValueError(f'time cannot pass by {passed}')
        until = self.now + passed
        self._settle()
        deadline = self.service.next_deadline()
        while deadline is not None and deadline <= until:
            self._pass(deadline)
            self._settle()
            deadline = self.service.next_deadline()
        self._pass(until)
        self._settle()
        return self

    def start_other(self, workflow: type[Workflow], /, *args: Any, workflow_id: str, **kwargs: Any) -> Tester:
        """Starts another execution on the same service: one that the tested workflow signals, or that signals it.

        The tester runs it as it runs the tested one, with the same stubs. Address it by its id:
        ``tester.signal('go', workflow_id='other')``, ``tester.client.execution('other')``.

        Args:
            workflow: A decorated class.
            *args: Arguments of its ``run``.
            workflow_id: Of the execution.
            **kwargs: Keyword arguments of its ``run``.

        Raises:
            TesterError: The class is not decorated.
            TypeError: The arguments do not fit ``run``.
        """
        found = [spec for spec in declared(workflow) if isinstance(spec, WorkflowSpec)]
        if not found:
            raise TesterError(f'{workflow!r} is not decorated with genflow.workflow, so it has no type')
        other = workflow()
        text = written_arguments(f'{workflow.__qualname__}.run', other._serialize_arguments, args, kwargs)
        _check_arguments(other, text)
        spec: Any = self._doubles.add(WorkflowProxy(found[-1].name, found[-1].version)).spec or found[-1]
        self._environment.register_types()
        self._environment.start(workflow_id, text, spec)
        return self

    def signal(
        self, signal: Any, value: Any = None, *, workflow_id: str | None = None, undeclared: bool = False
    ) -> Tester:
        """Signals the execution; the workflow receives the signal in the next step.

        Args:
            signal: ``Order.approve``, the name of its attribute, or its own name.
            value: Travels as JSON.
            workflow_id: Of a child, or of another execution, that is to be signaled instead.
            undeclared: Send it although the class declares no signal of that name.

        Raises:
            TesterError: The execution is not open, or its class declares no such signal.
        """
        if workflow_id not in (None, self._workflow_id):
            name = signal_name(signal)
            self._ask_other(
                'signal_workflow_execution',
                str(workflow_id),
                signalName=name,
                input=written(value, f'the value of signal {name!r}'),
            )
            return self
        own = getattr(self._doubles.lead.cls, signal, None) if isinstance(signal, str) else None
        name = signal_name(own if isinstance(own, Signal) else signal)
        if not undeclared and not self.is_closed:
            _check_declared(self._doubles.lead.cls, name)
        self._ask('signal_workflow_execution', signalName=name, input=written(value, f'the value of signal {name!r}'))
        return self

    @overload
    def update(
        self,
        update: UpdateMethod[..., Generator[Any, Any, U]],
        /,
        *args: Any,
        workflow_id: str | None = None,
        update_id: str | None = None,
        **kwargs: Any,
    ) -> U: ...
    @overload
    def update(
        self,
        update: UpdateMethod[..., U],
        /,
        *args: Any,
        workflow_id: str | None = None,
        update_id: str | None = None,
        **kwargs: Any,
    ) -> U: ...
    @overload
    def update(
        self,
        update: str,
        /,
        *args: Any,
        workflow_id: str | None = None,
        update_id: str | None = None,
        **kwargs: Any,
    ) -> Any: ...
    def update(
        self, update: Any, /, *args: Any, workflow_id: str | None = None, update_id: str | None = None, **kwargs: Any
    ) -> Any:
        """Calls an ``@update`` method, continues until the reply is there, and returns it.

        Args:
            update: The method (``Cluster.assign``), or its name.
            *args: What the method is called with.
            workflow_id: Of another execution that is to be asked instead.
            update_id: Identifies the update; an update with an id that was used before is not sent again.
            **kwargs: As ``args``.

        Raises:
            UpdateRefused: Its validator refused it.
            UpdateFailed: The method failed; or the execution closed without a reply.
            TesterError: The execution is not open.
            Stuck: Nothing more happens, and there is no reply.
            Exception: As :meth:`run`.
        """
        __tracebackhide__ = True
        self._started()
        is_own = workflow_id in (None, self._workflow_id)
        workflow: Any = self._doubles.lead.cls if is_own else None
        execution = self.client.execution(str(workflow_id or self._workflow_id), workflow=workflow)
        watch = execution.update_watch(update, *args, update_id=update_id, **kwargs)
        try:
            found = watch.look()
        except Exception as error:
            if faults.is_late(error) or isinstance(error, LookupError):
                raise TesterError(f'no execution with the workflow id {execution.workflow_id!r} is open') from error
            raise
        while not found:
            if self.step() is None and not self.is_closed:
                raise Stuck(f'the update {watch.request.name!r} has no reply. {self._waits()}')
            found = watch.look()
        return watch.answer

    def cancel(self) -> Tester:
        """Requests the cancellation of the execution.

        Raises:
            TesterError: The execution is not open.
        """
        self._ask('request_cancel_workflow_execution')
        return self

    # inspection

    def query(self, name: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a ``@query`` method on the state after the last decision, and returns its result.

        Args:
            name: The method (``Order.where``), or its name.
            *args: What it is called with.
            **kwargs: Likewise.

        Raises:
            NotDecidedYet: The run has made no decision yet: ``advance()`` first.
            AttributeError: The class has no such query.
        """
        lead, run_id = self._doubles.lead, self._last_run()
        return self._decider.query(lead, self._workflow_id, run_id, getattr(name, '__name__', name), *args, **kwargs)

    @property
    def client(self) -> Client:
        """A client of the test's service, for executions of any id. Workflows proceed only in steps of the tester."""
        return Client(DOMAIN, service=self._environment.service)

    @property
    def calls(self) -> list[Any]:
        """The calls that the workflow has made so far, in order, through its restarts, as descriptions.

        ``assert tester.calls == [Order.charge.task(1), Order.ship.task('a street')]``. Retries and timers
        are not in the list.
        """
        self._last_run()
        runs = (self._environment.events(self._workflow_id, run_id) for run_id in self._runs)
        items = (item for events in runs for item in first_items(ExecutionView().apply_all(events)))
        return [described(self._doubles, item) for item in items]

    @property
    def now(self) -> datetime:
        """The time of the service."""
        return self._environment.now

    @property
    def clock(self) -> Any:
        return self.service.clock

    @property
    def is_closed(self) -> bool:
        """Whether the execution has ended."""
        self._may_have_ended = True
        return self._ending() is not None

    @property
    def history(self) -> History:
        """The history of the current run."""
        events = self._environment.events(self._workflow_id, self._started())
        named = {'workflowId': self._workflow_id, 'runId': self._run_id}
        return History.from_json({'events': events, 'workflowExecution': named}, self._doubles.lead)

    @property
    def open_tasks(self) -> list[Any]:
        """The open tasks, oldest first, as descriptions: ``[Order.charge.task(1)]``."""
        return [described(self._doubles, item) for item in self.history.open_tasks]

    @property
    def status(self) -> Any:
        """The value of the last ``set_status``; ``None`` if there was none."""
        return self._environment.status(self._workflow_id, self._started())

    def __repr__(self) -> str:
        lead = self._doubles.lead
        try:
            state = 'not started' if not self._run_id else 'closed' if self.is_closed else 'open'
        except ServiceClosed:  # the tester's, by `close`, or the user's
            return f'<Tester of {lead.name} {lead.version}, its service is closed>'
        return f'<Tester of {lead.name} {lead.version}, {state}, {self.now:%Y-%m-%d %H:%M:%S}>'

    # how a step is applied

    def _work(self) -> str | None:
        """A decision, an activity or a function; ``None`` where none waits."""
        __tracebackhide__ = True
        self._started()
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TesterError(
                f'{self._doubles.lead.name} goes on after {MAX_STEPS:,} steps; {self._decider.describe_blocked}'
            )
        decision = self._environment.decision_task()
        if decision is not None:
            return self._decide(decision)
        activity = self._environment.activity_task()
        return self._environment.call_function() if activity is None else self._stub_runner.run_activity(activity)

    def _decide(self, task: DecisionTask) -> str:
        __tracebackhide__ = True
        done = self._decider.decide(task)
        if task.run_id == self._run_id:
            self._may_have_ended = self._may_have_ended or self._decider.closing
            if self._decider.error is not None:
                raise self._decider.error
        return done

    def _settle(self) -> None:
        """Does everything that can be done now."""
        __tracebackhide__ = True
        while self._ending() is None and self._work() is not None:
            pass

    def _skip(self) -> str | None:
        deadline = self.service.next_deadline()
        if deadline is None or deadline >= self._end():
            return None
        passed = deadline - self.now
        self._pass(deadline)
        return f'{passed} passed'

    def _pass(self, until: datetime) -> None:
        self._environment.skip_to(until)
        self._may_have_ended = True

    def _end(self) -> datetime:
        """When the current run times out."""
        attributes, begun = self._environment.beginning(self._workflow_id, self._run_id)
        seconds = int(attributes.get('executionStartToCloseTimeout', MAX_SECONDS))
        return begun + timedelta(seconds=seconds)

    def _ending(self) -> Mapping[str, Any] | None:
        """The event that ended the execution; looked for only after something that may have ended it."""
        if not self._may_have_ended:
            return None
        last = self._last_event()
        self._may_have_ended = last['eventType'] in ENDINGS
        return last if self._may_have_ended else None

    def _last_event(self) -> Mapping[str, Any]:
        """The latest event of the current run; follows the execution through its restarts."""
        last = self._environment.last_event(self._workflow_id, self._started())
        while last['eventType'] == 'WorkflowExecutionContinuedAsNew':
            self._run_id = last['workflowExecutionContinuedAsNewEventAttributes']['newExecutionRunId']
            self._runs.append(self._run_id)
            last = self._environment.last_event(self._workflow_id, self._run_id)
        return last

    def _started(self) -> str:
        if not self._run_id:
            raise TesterError('nothing was started: call start(…) or run(…) with the arguments of the workflow')
        return self._run_id

    def _ask(self, operation: str, **request: Any) -> None:
        if self.is_closed:
            raise TesterError(f'{self!r} has ended with {self._last_event()["eventType"]}')
        self._environment.call(operation, self._workflow_id, **request)

    def _ask_other(self, operation: str, workflow_id: str, **request: Any) -> None:
        try:
            self._environment.call(operation, workflow_id, **request)
        except Exception as error:
            if faults.is_late(error):
                raise TesterError(f'no execution with the workflow id {workflow_id!r} is open') from error
            raise

    def _last_run(self) -> str:
        self._last_event()
        return self._run_id

    def _waits(self) -> str:
        open_tasks = ', '.join(map(repr, self.open_tasks)) or 'no task'
        return f'{self._reason()}; {self._decider.describe_blocked}. Open: {open_tasks}'

    def _reason(self) -> str:
        """Why nothing happens any more before the execution itself times out."""
        who, end = f'{self._doubles.lead.name} {self._doubles.lead.version}', f'{self._end():%Y-%m-%d %H:%M:%S}'
        timers = [item for item in self.history.open_tasks if item.kind == 'timer']
        if not timers:
            return (
                f'{who} waits for something that only the test can provide, such as a signal; nothing else happens '
                f'before the execution times out at {end}'
            )
        lengths = ', '.join(f'{int(item.attributes["startToFireTimeout"]):,} s' for item in timers)
        return (
            f'{who} waits for a timer that never fires ({lengths}), because the execution itself times out before, at '
            f'{end}: give the workflow a longer workflow_duration, or send the signal that it also waits for'
        )


def _check_declared(cls: type, name: str) -> None:
    """Raises ``TesterError`` where a workflow class declares no signal of a name."""
    if name not in signals_of(cls):
        raise TesterError(
            f'{cls.__qualname__} declares no signal {name!r}, so nothing would read it; '
            f'{nearest_signal(cls, name)}. Give undeclared=True to send it anyway'
        )


def _check_arguments(lead: Workflow, text: str) -> None:
    args, kwargs = lead._deserialize_arguments(text)
    check_fit(lead.run, args, kwargs, f'{type(lead).__qualname__}.run')
