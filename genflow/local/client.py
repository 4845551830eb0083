"""The embedded service with the interface of boto3's SWF client: same methods, same dicts, same errors.

The methods are made from botocore's model, as botocore makes its own. A request that boto3 would refuse before sending
is refused by botocore's validator, with its message; all other checks are the service's.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, frozen

from genflow.local import forks
from genflow.local.clock import Clock, SystemClock
from genflow.local.deferring import DeferringSWF
from genflow.local.engine.forked_run import wire_events
from genflow.local.engine.group_commit import Statistics
from genflow.local.engine.held_poll import HeldPoll
from genflow.local.engine.lambdas import Run, in_background
from genflow.local.engine.locked_state import Options
from genflow.local.engine.served import Begun, Poll
from genflow.local.engine.service import Service
from genflow.local.errors import FileInUse, ServiceError
from genflow.local.operations.answers import EventTexts, answer_text
from genflow.local.remote_rounds import RemoteRounds
from genflow.local.requests.model import operation_model, operations, paginators, service_model
from genflow.local.requests.timestamps import has_timestamps, to_python, to_wire
from genflow.local.requests.validation import quick_check
from genflow.local.rules.starting import new_run_id
from genflow.local.shared.notice import Notice, RequiredOptions, read_notice
from genflow.local.state.answers import ANYBODY, Caller
from genflow.local.state.limits import Limits
from genflow.local.store.file import MEMORY

if TYPE_CHECKING:
    from botocore.errorfactory import BaseClientExceptions
    from botocore.model import ServiceModel
    from botocore.paginate import Paginator
    from typing_extensions import Self

    from genflow.local.requests.boto_methods import BotoMethods
    from genflow.local.shared.member import Member
    from genflow.local.shared.read_only import ReadOnlyService
else:
    BotoMethods = object  # the methods are made below

__all__ = ['LocalSWF']


@frozen
class Meta:
    """The attributes of boto3's ``client.meta``."""

    region_name: str
    endpoint_url: str
    method_to_api_mapping: dict[str, str]
    partition: str = 'aws'

    @property
    def service_model(self) -> ServiceModel:
        """The model of SWF, as botocore has it."""
        return service_model()


class LocalSWF(BotoMethods):
    """A complete SWF service in this process.

    It has every method of boto3's SWF client, takes the same keyword arguments, gives the same dicts and raises the
    same exceptions. All of it may be called from many threads at once. A call that has returned is durable. A signal
    handler may raise during a call; an exception raised in another thread from outside may not arrive during one.

    Args:
        path: The SQLite file, created if it does not exist. ``':memory:'`` stores nothing.
        clock: See :mod:`genflow.local.clock`. Default: the system's clock.
        region: Appears in ARNs and in ``meta``.
        account_id: Appears in ARNs.
        long_poll: Seconds for which an empty poll is held. Default: that of the clock (60 on the system's).
        limits: SWF's quotas; a test may lower them.
        synchronous: SQLite's setting. ``'FULL'``, the default, survives a power loss. ``'NORMAL'`` survives only a
            process crash, and is several times as fast with a single caller.
        denied: Operations and decision types that are refused as not permitted.
        abandon_started: Time out at once started tasks whose process has ended, and this process's tasks when it closes
            the service. Use it if no task token is passed to another program.
        mode: ``'r'`` only reads: nothing is written, and a call that would change something raises ``ReadOnly``. If no
            process leads the file, the current state of the file is read.
        parameter_validation: Check requests against botocore's model first, as boto3 does.
        interruptible: For a service of one test, whose calls take two thirds of the time then: an exception of a signal
            handler in the main thread may interrupt a call, and the service is of no more use then. Not for a file.

    Raises:
        FileInUse, ForeignFile, NewerSchema, CorruptFile, ReadOnlyFile, UnsupportedFileSystem, DiskFull, StoreError: the
            file cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = ':memory:',
        clock: Clock | None = None,
        *,
        region: str = 'us-east-1',
        account_id: str = '123456789012',
        long_poll: float | None = None,
        limits: Limits | None = None,
        synchronous: str | None = None,
        denied: Collection[str] = (),
        abandon_started: bool = False,
        mode: Literal['rw', 'r'] = 'rw',
        parameter_validation: bool = True,
        interruptible: bool = False,
    ) -> None:
        if interruptible and os.fspath(path) != MEMORY:
            raise ValueError('interruptible=True is for a service in memory: a call on a file is never cut in half')
        clock = clock or SystemClock()
        options = Options(
            path=os.fspath(path),
            clock=clock,
            region=region,
            account_id=account_id,
            long_poll=clock.hold if long_poll is None else long_poll,
            limits=limits or Limits(),
            synchronous=synchronous or 'FULL',
            denied=denied,
            abandon_started=abandon_started,
            interruptible=interruptible,
        )
        required = RequiredOptions(synchronous=synchronous, limits=options.limits, denied=tuple(denied))
        self._member = member_of(options, required, mode)
        self._service = self._member or opened(options, mode)
        self._others = ANYBODY if self._member is None else Caller(self._member.name, owns=False)
        self._validates = parameter_validation
        self._request_ids = itertools.count(1)
        self._service_id = str(uuid.uuid4())[:24]
        self.clock = clock
        self.path = options.path
        self.meta = Meta(region, f'local:{options.path}', operations())

    @property
    def exceptions(self) -> BaseClientExceptions:
        """The exceptions of boto3's client, as in ``except swf.exceptions.UnknownResourceFault``."""
        return client_exceptions()

    # Methods of the service.

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out an operation in wire form.

        Args:
            operation: Its name as in ``X-Amz-Target``.
            request: Its members as in JSON; times are numbers of seconds.

        Returns:
            The response; an empty dict for an operation without output.

        Raises:
            ServiceError: The error that the service responds with.
            StoreError: The call could not be written to the file, and has had no effect.
        """
        answer = self._perform_for_others(operation, request) or {}
        events = answer.get('events')
        if isinstance(events, EventTexts):
            answer['events'] = events.decoded()
        return answer

    def call_json(self, operation: str, request: dict[str, Any]) -> str:
        """As :meth:`call`, with the response as JSON text; empty for an operation without output.

        Events are kept as text, so a page of a history is not read and written again.
        """
        return answer_text(self._perform_for_others(operation, request))

    def begin(self, operation: str, request: dict[str, Any]) -> Begun:
        """As :meth:`call_json`, up to the moment in which the file is waited for: several calls can share a commit.

        Raises:
            ServiceError: The error that the service responds with.
        """
        service = self._service if self._member is None else self._member.own_service
        if not isinstance(service, Service):
            return Begun(partial(self.call_json, operation, request), is_long=True)
        return service.begin(operation, request, caller=self._others)

    def _perform_for_others(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """A call in wire form may be another program's; its tasks are not this process's."""
        if self._member is None:
            return self._service.perform(operation, request)
        service = self._member.own_service
        if service is None:
            return self._member.perform(operation, request, owns=False)
        return service.perform(operation, request, caller=self._others)

    def hold(self, operation: str, request: dict[str, Any], wake: Callable[[], None]) -> Poll:
        """Begin a long poll that waits without a thread: see :class:`~genflow.local.engine.held_poll.HeldPoll`.

        Args:
            operation: ``PollForActivityTask`` or ``PollForDecisionTask``, as in :meth:`call`.
            request: Without a page token, since a page is not a poll.
            wake: Called from any thread, at most once after each attempt, when another attempt may succeed. It must
                neither block nor call the service.

        Raises:
            ServiceError: The error that the service responds with.
        """
        if not isinstance(self._service, Service):
            return self._service.hold(operation, request, wake)
        return HeldPoll(self._service, operation, request, wake)

    def deferring(self) -> DeferringSWF | RemoteRounds | None:
        """The same service for a worker, whose answers share commits; ``None`` where it is only read."""
        member, own = self._member, self._own_service
        if own is not None:
            caller = ANYBODY if member is None else Caller(member.name)
            return DeferringSWF(self, own, self._invoke, self._client_error, caller)
        return None if member is None else RemoteRounds(self, member, self._invoke, self._client_error)

    def on_close(
        self, domain: str, workflow_id: str, run_id: str, wake: Callable[[], None]
    ) -> Callable[[], None] | None:
        """Has a function called when a run has closed, so that who waits for its result need not ask again and again.

        Args:
            domain: Of the run.
            workflow_id: Of the run.
            run_id: Of the run.
            wake: Called once, from any thread: when the run has closed and the file has it, at once if it is not open,
                or if the service has lost sight of it. It must neither block nor call the service. If it fails later,
                that is logged.

        Returns:
            To be called when nobody waits any more; ``None`` where another process has the file open, and nobody will
            be told.
        """
        own = self._own_service
        return None if own is None else own.on_close(domain, workflow_id, run_id, wake)

    @property
    def _own_service(self) -> Service | None:
        """The service of this process; ``None`` where another process has the file open, or it is only read."""
        if self._member is not None:
            return self._member.own_service
        return self._service if isinstance(self._service, Service) else None

    @property
    def is_leader(self) -> bool:
        """Whether this process has the file open itself; otherwise its calls go to the process that has."""
        return isinstance(self._service, Service) if self._member is None else self._member.leads

    @property
    def answers_here(self) -> bool:
        """Whether this process carries out its calls itself and writes what they change."""
        return self._own_service is not None

    @property
    def long_poll(self) -> float:
        """Seconds for which an empty poll is held."""
        return self._service.long_poll

    def register_lambda(self, name: str, function: Callable[[Any], Any], *, run: Run = in_background) -> None:
        """Makes ScheduleLambdaFunction decisions with this name call ``function`` with the JSON value of their input.

        Its return value must be JSON; an exception fails the Lambda task.

        Args:
            name: Of the function, as decisions have it.
            function: Is called once for each decision.
            run: Makes the call, at once or later: it is given the work. A thread of the service unless given.
        """
        self._service.register_lambda(name, function, run)

    def declare_types(self, *, workflows: Iterable[tuple[str, str]], activities: Iterable[tuple[str, str]]) -> None:
        """Declares the types of this process's workers, for a file that several processes share.

        This process gets no task of a type that only another process has declared. Declarations add up.
        :class:`genflow.swf.worker.worker.Worker` does this by itself.

        Args:
            workflows: Names and versions of workflow types.
            activities: Names and versions of activity types.
        """
        if self._member is not None:
            kinds = (('decision', workflows), ('activity', activities))
            self._member.declare_types([(kind, *one) for kind, types in kinds for one in types])

    def fork_run(self, domain: str, workflow_id: str, run_id: str, events: Sequence[Mapping[str, Any]]) -> str:
        """Opens a new run of a closed execution that begins with a given history, as a repair does; returns its run id.

        The history is not checked: this method is for genflow's own tools.

        Args:
            domain: Of the execution.
            workflow_id: Of the execution, and of the new run.
            run_id: The closed run whose settings the new one has.
            events: The new run's history, as boto3 gives events; the last one is a ``DecisionTaskScheduled``.

        Raises:
            ClientError: The run does not exist any more, another one is open, or the domain accepts no new one.
            StoreError: The file cannot keep it, or its leader cannot be given it.
        """
        fresh = new_run_id()
        try:
            self._service.fork(domain, workflow_id, run_id, fresh, wire_events(events))
        except ServiceError as error:
            raise self._client_error('StartWorkflowExecution', error) from error
        return fresh

    def next_deadline(self) -> datetime | None:
        """The time of the next time-out or timer; None if nothing is pending."""
        return self._service.next_deadline()

    @property
    def statistics(self) -> Statistics:
        """Numbers of calls, commits, open executions and waiting tasks."""
        return self._service.statistics

    def reset(self) -> None:
        """Deletes every domain, type and execution; waiting polls return empty."""
        self._service.reset()

    def close(self) -> None:
        """Writes pending changes and closes the file; may be called twice."""
        self._service.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # The interface of boto3's client.

    def can_paginate(self, operation_name: str) -> bool:
        """Whether :meth:`get_paginator` knows the method of that name."""
        return operations().get(operation_name) in paginators()

    def get_paginator(self, operation_name: str) -> Paginator:
        """The botocore paginator of a method.

        Raises:
            OperationNotPageableError: The method has no pages.
        """
        with forks.importing('botocore.paginate'):
            from botocore.exceptions import OperationNotPageableError  # noqa: PLC0415 - botocore takes its time
            from botocore.paginate import Paginator, PaginatorModel  # noqa: PLC0415

        if not self.can_paginate(operation_name):
            raise OperationNotPageableError(operation_name=operation_name)
        operation = operations()[operation_name]
        configuration = PaginatorModel({'pagination': paginators()}).get_paginator(operation)
        return Paginator(getattr(self, operation_name), configuration, operation_model(operation))

    def _invoke(
        self, operation: str, request: dict[str, Any], perform: Callable[..., dict[str, Any] | None] | None = None
    ) -> dict[str, Any]:
        """One call of a client method."""
        perform = perform or self._service.perform
        right = quick_check(operation)(request)
        if self._validates and not right:
            validate(operation, request)
        if has_timestamps(operation):
            request = to_wire(operation, request)
        try:
            answer = perform(operation, request, right=right) or {}
        except ServiceError as error:
            raise self._client_error(operation, error) from error
        events = answer.get('events')
        if isinstance(events, EventTexts):
            answer['events'] = events.decoded()
        if 'taskToken' in answer:
            answer['taskToken'] = str(answer['taskToken'])
        convert = to_python(operation)
        if convert:
            answer = convert(answer)
        answer['ResponseMetadata'] = self._metadata(200)
        return answer

    def _metadata(self, status: int) -> dict[str, Any]:
        request_id = f'{self._service_id}{next(self._request_ids):012x}'
        return {
            'RequestId': request_id,
            'HTTPStatusCode': status,
            'HTTPHeaders': {'x-amzn-requestid': request_id},
            'RetryAttempts': 0,
        }

    def _client_error(self, operation: str, error: ServiceError) -> Exception:
        """The exception that boto3 raises for such an answer."""
        response = {
            'Error': {'Message': error.message, 'Code': error.code},
            'ResponseMetadata': self._metadata(error.status),
            'message': error.message,
        }
        raised: Exception = self.exceptions.from_code(error.code)(response, operation)
        return raised


@cache
def client_exceptions() -> BaseClientExceptions:
    """Made by botocore as it makes those of a client; the same classes for all services."""
    with forks.importing('botocore.errorfactory'):
        from botocore.errorfactory import ClientExceptionsFactory  # noqa: PLC0415 - botocore takes its time

    return ClientExceptionsFactory().create_client_exceptions(service_model())


def member_of(options: Options, required: RequiredOptions, mode: str) -> Member | None:
    """This process's part in a file that others may have too; ``None`` where it is no such file."""
    if mode not in {'rw', 'r'}:
        raise ValueError(f"mode={mode!r}: give 'rw' to read and write, or 'r' to only read")
    if mode == 'r' or not is_shared(options):
        return None
    with forks.importing('genflow.local.shared.member'):
        from genflow.local.shared.member import Member  # noqa: PLC0415 - brings sockets and a server with it

    return Member(options, required)


def opened(options: Options, mode: str) -> Service | ReadOnlyService:
    """What carries out the calls where no other process has a part in them."""
    if mode == 'r' and options.path != MEMORY:
        with forks.importing('genflow.local.shared.read_only'):
            from genflow.local.shared.read_only import ReadOnlyService  # noqa: PLC0415 - as above

        return ReadOnlyService(options)
    return alone(options)


def is_shared(options: Options) -> bool:
    """Whether other processes may have the file too: a clock that somebody moves is a matter of one process."""
    return options.path != MEMORY and isinstance(options.clock, SystemClock)


def alone(options: Options) -> Service:
    """The service of a file that this process has for itself, or of none."""
    if options.path == MEMORY:
        return Service(options)
    why = f'its clock is a {type(options.clock).__name__}, which processes cannot share.'
    notice = Notice(state='alone', why=why, process=str(os.getpid()))
    try:
        return Service(evolve(options, notice=notice.text()))
    except FileInUse as error:
        found = read_notice(error.notice)
        if found is None or found.state == 'alone':
            raise
        raise FileInUse(
            f'{options.path} is in use by process {found.process.partition(".")[0]}, which uses the time of day; '
            f'processes cannot share a {type(options.clock).__name__}. Leave the clock out to share the file.',
            error.notice,
        ) from None


def validate(operation: str, request: dict[str, Any]) -> None:
    """Refuse what boto3 refuses before it sends.

    Raises:
        ParamValidationError: In botocore's words.
    """
    with forks.importing('botocore.validate'):
        from botocore.exceptions import ParamValidationError  # noqa: PLC0415 - botocore takes its time
        from botocore.validate import ParamValidator  # noqa: PLC0415

    report = ParamValidator().validate(request, operation_model(operation).input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


def make_method(name: str, operation: str) -> Callable[..., dict[str, Any]]:
    """The client method of an operation."""

    def method(self: LocalSWF, *args: Any, **request: Any) -> dict[str, Any]:
        if args:
            raise TypeError(f'{name}() only accepts keyword arguments.')
        return self._invoke(operation, request)

    method.__name__ = name
    method.__qualname__ = f'LocalSWF.{name}'
    method.__doc__ = f'{operation} of Amazon SWF, as in boto3.'
    return method


for _name, _operation in operations().items():
    setattr(LocalSWF, _name, make_method(_name, _operation))
