"""OpenTelemetry spans of executions: one trace from the program that starts one to its activities and children.

*Theory of operation.* A span must be exported once, whatever is replayed and whichever worker goes on with a run. So no
process keeps a span open: the process that sees the end of an operation creates its span, with an id that is derived
from the run id and the operation. Code that refers to a span before it exists, such as the parent of an activity,
derives the same id.

* ``start Order``: in the program that starts an execution; an ordinary span.
* ``workflow Order``: the run, from event 1 to its close; made by the worker whose decision closed it.
* ``decide Order``: a decision; made when SWF has accepted it.
* ``activity Charge``, ``child Ship``, ``timer``…: an attempt, from being scheduled to its end, with the wait in the
  queue; made with the first decision that sees its end. Its parent is the decision that scheduled it.
* ``run Charge``: an attempt on the worker that performs it; a child of the one before, and current while the activity
  runs.

The context travels in the headers ``traceparent``, ``tracestate`` and so on, as OpenTelemetry's propagators write them.
An execution that was started without them is the root of a trace whose id follows from its run id.

Only OpenTelemetry's API is imported. Its SDK takes ids from the ``id_generator`` of a tracer, and that of genflow's own
tracer is replaced. Another implementation of the API without such an attribute gives its spans ids of its own; then
only the links between processes hold.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timezone
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from attrs import define, field
from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from genflow.core.authoring.middleware import (
    ActivityAttempt,
    ClientCall,
    Decision,
    Middleware,
    Scheduled,
    WorkflowClose,
    WorkflowRun,
)
from genflow.insight.operations import Attempt, Operation
from genflow.insight.view import ExecutionView
from genflow.telemetry.views import closed_view, deciding_event, ended_attempts, view_of

__all__ = ['Tracing', 'span_id', 'trace_id']

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

CLIENT_KINDS = {'start': SpanKind.PRODUCER, 'signal': SpanKind.PRODUCER, 'update': SpanKind.PRODUCER}
"""The kinds of the spans of a client's calls; of others ``CLIENT``."""


def span_id(run_id: str, what: str) -> int:
    """The id of a span of a run.

    Args:
        run_id: The run.
        what: ``workflow``; ``decision`` and the event id of its ``DecisionTaskStarted``; ``operation`` or ``attempt``
            and the number of the call with the number of the attempt, as in ``attempt 3.1``.
    """
    return int.from_bytes(sha256(f'genflow {run_id} {what}'.encode()).digest()[:8], 'big') or 1


def trace_id(run_id: str) -> int:
    """The trace id of a run that was started without a trace."""
    return int.from_bytes(sha256(f'genflow {run_id}'.encode()).digest()[:16], 'big') or 1


@define(eq=False)
class DerivedIds:
    """An id generator that gives the derived ids, if there are any, or else those of the generator it replaces."""

    other: Any
    _given: threading.local = field(factory=threading.local, init=False)

    @contextmanager
    def giving(self, trace_id: int, span_id: int) -> Iterator[None]:
        """Gives these ids to the next span of this thread."""
        self._given.ids = (trace_id, span_id)
        try:
            yield
        finally:
            self._given.ids = None

    def generate_span_id(self) -> int:
        ids = getattr(self._given, 'ids', None)
        found: int = self.other.generate_span_id() if ids is None else ids[1]
        return found

    def generate_trace_id(self) -> int:
        ids = getattr(self._given, 'ids', None)
        found: int = self.other.generate_trace_id() if ids is None else ids[0]
        return found

    def is_trace_id_random(self) -> bool:
        """Whether the trace id counts as random, as the bits of a hash do."""
        if getattr(self._given, 'ids', None) is not None:
            return True
        return bool(getattr(self.other, 'is_trace_id_random', bool)())


class Tracing(Middleware):
    """Makes OpenTelemetry spans.

    Args:
        tracer_provider: Makes the tracer; OpenTelemetry's global one unless given, as it is when it is first needed.
    """

    def __init__(self, tracer_provider: Any = None) -> None:
        self._provider = tracer_provider
        self._kept: Any = None

    @property
    def _tracer(self) -> Any:
        if self._kept is not None:
            return self._kept
        provider = self._provider if self._provider is not None else trace.get_tracer_provider()
        tracer: Any = provider.get_tracer('genflow', _version())
        found = getattr(tracer, 'id_generator', None)
        if found is not None:  # the SDK's; before that is set up, the API has a tracer that does nothing
            if not isinstance(found, DerivedIds):
                tracer.id_generator = DerivedIds(found)
            self._kept = tracer
        return tracer

    # clients

    def client_call(self, call: ClientCall) -> AbstractContextManager[Any]:
        return self._client_span(call)

    @contextmanager
    def _client_span(self, call: ClientCall) -> Iterator[None]:
        facts = {'workflow_id': call.workflow_id, 'run_id': call.run_id, 'domain': call.domain}
        if call.operation == 'start':
            facts |= {'workflow.name': call.name, 'workflow.version': call.version}
        name = f'{call.operation} {call.name}' if call.name else call.operation
        kind = CLIENT_KINDS.get(call.operation, SpanKind.CLIENT)
        # What is raised may quote a payload; its class is all that is exported.
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=_attributes(facts), record_exception=False, set_status_on_exception=False
        ) as span:
            if call.operation == 'start':
                propagate.inject(call.headers)
            try:
                yield
            except BaseException as error:
                span.set_attribute('error.type', type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR, type(error).__qualname__))
                raise
            if call.run_id is not None:
                span.set_attribute('genflow.run_id', call.run_id)

    # workers

    def scheduled(self, operation: Scheduled) -> None:
        run = operation.run
        if operation.kind == 'timer':
            return
        what = f'decision {operation.decision_id}' if operation.kind == 'restart' else f'operation {operation.id}'
        propagate.inject(operation.headers, self._inside(run, what))

    def decided(self, decision: Decision) -> None:
        view, run = view_of(decision), decision.run
        began = int(decision.began_at * 1e9)
        facts = {
            'task_list': decision.task_list,
            'worker': decision.worker,
            'events': decision.started_id,
            'replayed_events': decision.replayed,
            'scheduled': len(decision.scheduled),
        }
        what = f'decision {decision.started_id}'
        span = self._span(
            run, f'decide {run.info.name}', what, self._inside(run, 'workflow'), began, facts, SpanKind.CONSUMER
        )
        span.end(began + int(decision.seconds * 1e9))
        for operation, attempt in ended_attempts(view, decision.previous_id):
            self._export(run, view, operation, attempt)

    def workflow_closed(self, close: WorkflowClose) -> None:
        view, run = closed_view(close), close.run
        for operation, attempt in ended_attempts(view, close.decision.started_id):
            self._export(run, view, operation, attempt)
        end = view.events[-1]['eventTimestamp']
        for operation in view.open_operations():
            if operation.last.is_open:
                self._export(run, view, operation, operation.last, end)
        facts = {'outcome': close.outcome, 'events': view.last_event_id, 'decisions': len(view.decisions)}
        span = self._span(
            run,
            f'workflow {run.info.name}',
            'workflow',
            self._outside(run.headers),
            _nanoseconds(run.info.started_at or end),
            facts,
            SpanKind.CONSUMER,
        )
        if close.outcome == 'failed':
            _fail(span, close.reason)
        span.end(_nanoseconds(end))

    def _export(
        self, run: WorkflowRun, view: ExecutionView, operation: Operation, attempt: Attempt, end: datetime | None = None
    ) -> None:
        """Creates the span of an attempt that has ended, or that was open when the run closed."""
        if operation.is_of_engine:
            return
        decided = deciding_event(view, attempt)
        parent = self._inside(run, f'decision {decided}' if decided else 'workflow')
        known = operation.number is not None
        which = f'{operation.number}.{attempt.number}' if known else f'event {attempt.scheduled_id}'
        facts = {
            'id': attempt.key,
            'attempt': attempt.number,
            'state': attempt.state if attempt.ended_id else 'open when the run closed',
            'task_list': attempt.task_list,
            'worker': attempt.worker,
            'child.run_id': attempt.run_id,
        }
        name = 'timer' if operation.kind == 'timer' else f'{operation.kind} {operation.name}'
        begin = _nanoseconds(attempt.scheduled_at)
        kind = SpanKind.INTERNAL if operation.kind == 'timer' else SpanKind.PRODUCER
        span = self._span(run, name, f'operation {which}', parent, begin, facts, kind)
        if attempt.started_at is not None and operation.kind != 'timer':
            span.add_event('started', timestamp=_nanoseconds(attempt.started_at))
        if attempt.has_failed:
            _fail(span, attempt.reason or attempt.state)
        span.end(_nanoseconds(attempt.ended_at or end or attempt.scheduled_at))

    # activities

    def activity(self, attempt: ActivityAttempt) -> AbstractContextManager[Any]:
        return self._activity_span(attempt)

    @contextmanager
    def _activity_span(self, attempt: ActivityAttempt) -> Iterator[None]:
        facts = {
            'domain': attempt.domain,
            'workflow_id': attempt.workflow_id,
            'run_id': attempt.run_id,
            'id': attempt.activity_id,
            'attempt': attempt.attempt,
            'activity.name': attempt.name,
            'activity.version': attempt.version,
            'task_list': attempt.task_list,
            'worker': attempt.worker,
        }
        parent = self._outside(attempt.headers)
        if not trace.get_current_span(parent).get_span_context().is_valid:
            root = self._root(attempt.run_id)
            parent = (
                parent if root is None else _within(parent, root, span_id(attempt.run_id, f'operation {attempt.id}'))
            )
        span = self._start(
            attempt.run_id, f'run {attempt.name}', f'attempt {attempt.id}', parent, None, facts, SpanKind.CONSUMER
        )
        # What was current before is the application's; the activity gets its context with this span in it.
        token = otel_context.attach(trace.set_span_in_context(span, parent))
        try:
            yield
        finally:
            otel_context.detach(token)
            span.set_attribute('genflow.outcome', attempt.outcome or 'not begun')
            if attempt.outcome == 'failed':
                _fail(span, attempt.reason)
            span.end()

    # contexts

    def _outside(self, headers: Mapping[str, str]) -> Context:
        """The context from the headers of a run or an attempt; an empty one without headers."""
        return propagate.extract(headers, Context())

    def _inside(self, run: WorkflowRun, what: str) -> Context:
        """The context of a span of a run, even before that span exists."""
        outside = self._outside(run.headers)
        around = trace.get_current_span(outside).get_span_context()
        if not around.is_valid:
            if Tracing not in run.memory:
                run.memory[Tracing] = self._root(run.info.run_id)
            root = run.memory[Tracing]
            return outside if root is None else _within(outside, root, span_id(run.info.run_id, what))
        if not isinstance(getattr(self._tracer, 'id_generator', None), DerivedIds):
            return outside
        return _within(outside, around, span_id(run.info.run_id, what))

    def _root(self, run_id: str) -> SpanContext | None:
        """The context of a run that was started without a trace: the sampler is asked; nothing is exported.

        ``None`` if tracing is off, or if the ids of spans cannot be chosen.
        """
        ids = getattr(self._tracer, 'id_generator', None)
        if not isinstance(ids, DerivedIds):
            return None
        with ids.giving(trace_id(run_id), span_id(run_id, 'workflow')):
            found: SpanContext = self._tracer.start_span('workflow', context=Context()).get_span_context()
        return found

    def _span(
        self,
        run: WorkflowRun,
        name: str,
        what: str,
        parent: Context,
        start: int,
        facts: Mapping[str, Any],
        kind: SpanKind,
    ) -> Span:
        info = run.info
        of_run = {
            'domain': info.domain,
            'workflow_id': info.workflow_id,
            'run_id': info.run_id,
            'workflow.name': info.name,
            'workflow.version': info.version,
        }
        return self._start(info.run_id, name, what, parent, start, {**of_run, **facts}, kind)

    def _start(
        self,
        run_id: str,
        name: str,
        what: str,
        parent: Context,
        start: int | None,
        facts: Mapping[str, Any],
        kind: SpanKind,
    ) -> Span:
        ids = getattr(self._tracer, 'id_generator', None)
        begin = {'context': parent, 'kind': kind, 'attributes': _attributes(facts), 'start_time': start}
        giving: AbstractContextManager[None] = nullcontext()
        if isinstance(ids, DerivedIds):
            giving = ids.giving(trace_id(run_id), span_id(run_id, what))
        with giving:
            span: Span = self._tracer.start_span(name, **begin)
        return span


@cache
def _version() -> str:
    return version('genflow')


def _within(context: Context, like: SpanContext, span_id: int) -> Context:
    """A context with the given span id, in the trace of another context."""
    flags = TraceFlags(like.trace_flags)
    ours = SpanContext(like.trace_id, span_id, is_remote=True, trace_flags=flags, trace_state=like.trace_state)
    return trace.set_span_in_context(NonRecordingSpan(ours), context)


def _attributes(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {f'genflow.{name}': value for name, value in facts.items() if value not in (None, '')}


def _fail(span: Span, reason: str | None) -> None:
    """Marks a span as failed, by the class of the exception: the rest of a reason may quote a payload."""
    kind = (reason or 'failed').partition(':')[0][:100]
    span.set_attribute('error.type', kind)
    span.set_status(Status(StatusCode.ERROR, kind))


def _nanoseconds(when: datetime) -> int:
    return int((when - EPOCH).total_seconds() * 1e6) * 1000
