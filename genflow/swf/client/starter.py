"""Starting executions.

SWF has no token that tells a repeated start from a second one. If the answer to a start is lost, the open execution of
that workflow id is described, and counts as started by this call if its settings are those of the request.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from attrs import frozen

from genflow.core.authoring.middleware import ClientCall, Middleware, around_call
from genflow.core.authoring.proxies import type_version
from genflow.core.durations import Duration
from genflow.core.model.options import ChildOptions, seconds
from genflow.core.model.options import workflow_id as checked_id
from genflow.core.payloads.envelopes import wrapped
from genflow.core.payloads.hooks import Serialization, use_transport
from genflow.core.payloads.writing import INPUT_WAY_OUT, check_length, written_arguments
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient
from genflow.swf.client.listing import newest_run
from genflow.swf.wire.decisions import seconds_text

__all__ = ['RETRY_FOR', 'Started', 'Starter']

RETRY_FOR = 30.0
"""Seconds for which a call is retried while a program waits for it."""

ATTEMPTS = 5
"""How often a start with an unknown outcome is repeated."""


@frozen
class Started:
    """The ids of an execution that was started."""

    workflow_id: str
    run_id: str


class Starter(Serialization):
    """Starts executions of one workflow type when it is called.

    Args:
        service: Where to.
        domain: The SWF domain.
        name: Of the workflow type.
        version: Of the workflow type.
        workflow_id: Of the executions. Default: a new UUID for each.
        task_list: ``None`` uses the default of the type, as do the options below.
        decision_duration: Seconds that one decision may take.
        workflow_duration: Seconds that an execution may take.
        child_policy: ``TERMINATE``, ``REQUEST_CANCEL`` or ``ABANDON``.
        priority: Of the decision tasks, higher first.
        tags: At most five.
        lambda_role: The IAM role with which Lambda functions are called.
        transport: An object with the serialization methods.
        middleware: Surrounds each start.

    Raises:
        DefinitionError: An option is wrong.
    """

    def __init__(
        self,
        service: RetryingClient,
        domain: str,
        name: str,
        version: Any,
        *,
        workflow_id: str | None = None,
        task_list: str | None = None,
        decision_duration: Duration | None = None,
        workflow_duration: Duration | None = None,
        child_policy: str | None = None,
        priority: int | None = None,
        tags: Any = (),
        lambda_role: str | None = None,
        transport: Any = None,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        self.middleware = middleware
        self.service = service
        self.domain = domain
        self.name = name
        self.version = type_version(version)
        self.options = ChildOptions(
            workflow_id=workflow_id,
            task_list=task_list,
            decision_duration=seconds(decision_duration, 'decision_duration'),
            workflow_duration=seconds(workflow_duration, 'workflow_duration'),
            child_policy=child_policy,
            priority=priority,
            tags=tags,
            lambda_role=lambda_role,
        )
        # Of this thread or asyncio task only: a starter is often a global.
        self._id: ContextVar[str | None] = ContextVar('workflow_id', default=workflow_id)
        self._tags: ContextVar[tuple[str, ...]] = ContextVar('tags', default=self.options.tags or ())
        if transport is not None:
            use_transport(self, transport)

    @property
    def workflow_id(self) -> str | None:
        """The workflow id of the executions that are started here, ``None`` where each has a new one."""
        return self._id.get()

    @contextmanager
    def id(self, workflow_id: str) -> Iterator[None]:
        """Sets the workflow id of the executions that are started in the block.

        Raises:
            DefinitionError: The id is empty, or has more than 256 characters.
        """
        before = self._id.set(checked_id(workflow_id))
        try:
            yield
        finally:
            self._id.reset(before)

    @contextmanager
    def tags(self, *tags: str) -> Iterator[None]:
        """Sets the tags of the executions that are started in the block, instead of those of the starter.

        Raises:
            DefinitionError: More than five tags, or one of more than 256 characters.
        """
        before = self._tags.set(ChildOptions(tags=tags).tags or ())
        try:
            yield
        finally:
            self._tags.reset(before)

    def __call__(self, *args: Any, **kwargs: Any) -> Started:
        """Starts an execution with these arguments.

        Raises:
            TypeError: The arguments cannot be serialized.
            ValueError: The arguments contain ``NaN``, a cycle, or keys that are equal in JSON.
            PayloadTooLarge: The arguments have more than 32,768 characters once they are serialized.
            Exception: The client's error: ``WorkflowExecutionAlreadyStartedFault`` where an execution of that id is
                open, ``UnknownResourceFault`` where the domain or the type does not exist, and so on.
        """
        text = written_arguments(self.name, self._serialize_arguments, args, kwargs)
        return self.start(text)

    def start(self, input: str) -> Started:
        """Starts an execution with serialized arguments; raises as :meth:`__call__`."""
        check_length(input, f'the input of {self.name}', INPUT_WAY_OUT)
        request = self._request(input)
        if not self.middleware:
            return self._started(request)
        call = ClientCall('start', self.domain, request['workflowId'], name=self.name, version=self.version)
        with around_call(self.middleware, call):
            request['input'] = wrapped(input, call.headers)
            started = self._started(request)
            call.run_id = started.run_id
            return started

    def _started(self, request: dict[str, Any]) -> Started:
        for attempt in range(ATTEMPTS):
            try:
                answer = self.service.call('start_workflow_execution', patience=RETRY_FOR, **request)
                return Started(request['workflowId'], answer['runId'])
            except Exception as error:
                taken = faults.code_of(error) == 'WorkflowExecutionAlreadyStartedFault'
                doubtful = faults.is_doubtful(error)
                if not doubtful and not (taken and attempt):
                    raise
                found = self._ours(request)
                if found is not None:
                    return found
                if taken or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError('the last attempt returns or raises')

    def _request(self, input: str) -> dict[str, Any]:
        options = self.options
        request = {
            'domain': self.domain,
            'workflowId': str(uuid.uuid4()) if (given := self._id.get()) is None else given,
            'workflowType': {'name': self.name, 'version': self.version},
            'input': input,
            'taskList': None if options.task_list is None else {'name': options.task_list},
            'taskPriority': None if options.priority is None else str(options.priority),
            'taskStartToCloseTimeout': seconds_text(options.decision_duration),
            'executionStartToCloseTimeout': seconds_text(options.workflow_duration),
            'childPolicy': options.child_policy,
            'tagList': list(self._tags.get()) or None,
            'lambdaRole': options.lambda_role,
        }
        return {name: value for name, value in request.items() if value is not None}

    def _ours(self, request: dict[str, Any]) -> Started | None:
        """The latest execution of the workflow id, if it was started with what ``request`` says."""
        workflow_id = request['workflowId']
        kinds: tuple[Literal['open', 'closed'], ...] = ('open', 'closed')
        for kind in kinds:
            ids = newest_run(self._read, kind, workflow_id)
            if ids is not None and self._started_with(ids, request):
                return Started(workflow_id, ids['runId'])
        return None

    def _started_with(self, execution: dict[str, str], request: dict[str, Any]) -> bool:
        page = self._read('get_workflow_execution_history', execution=execution, maximumPageSize=1)
        started = page['events'][0]['workflowExecutionStartedEventAttributes']
        return all(started.get(name) == request.get(name) for name in ('workflowType', 'input', 'tagList'))

    def _read(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.service.call(operation, patience=RETRY_FOR, domain=self.domain, **request)
