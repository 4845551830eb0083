"""One trace from the starter to the last activity, each span exported once with an id that follows from the history."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased

from genflow import Activity, Client, Workflow
from genflow.core.payloads.envelopes import opened
from genflow.insight import ExecutionView
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.telemetry import Tracing
from genflow.telemetry.tracing import span_id, trace_id
from genflow.testing import replay
from tests.swf.work import registry_of
from tests.telemetry.orders import LONG, PAYLOAD, Order, finish, working

MODES = {
    'kept': {},
    'cold': {'sticky': False, 'cache': StickyCache(max_executions=0)},
    'evicted': {'cache': StickyCache(max_executions=0)},
}


class Traced:
    """A tracer provider of its own, and what it exported."""

    def __init__(self, **options):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(**options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(self.provider)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def ids(self):
        return Counter(span.context.span_id for span in self.spans)

    def named(self, name):
        return [span for span in self.spans if span.name == name]

    def tree(self):
        """The spans below their parents, as text."""
        known = {span.context.span_id for span in self.spans}
        lines = []

        def show(parent, depth):
            for span in sorted(self.spans, key=lambda span: span.start_time):
                of = span.parent.span_id if span.parent and span.parent.span_id in known else None
                if of == parent:
                    lines.append('  ' * depth + span.name)
                    show(span.context.span_id, depth + 1)

        show(None, 0)
        return lines


def ids_of(history, run_id):
    """The ids that the spans of a run have, from its history alone; the worker's side of them."""
    view = ExecutionView('w', run_id).apply_all(history)
    names = ['workflow']
    names += [f'decision {task.started_id}' for task in view.decisions if task.state == 'completed']
    for operation in view.visible_operations():
        for attempt in operation.attempts:
            names.append(f'operation {operation.number}.{attempt.number}')
            if operation.kind == 'activity':
                names.append(f'attempt {operation.number}.{attempt.number}')
    return Counter(span_id(run_id, name) for name in names)


def all_ids_of(live, started):
    """Those of an order and of its parcel."""
    ids = ids_of(started.history(), started.run_id)
    for execution in Client('d', live).executions(workflow='Parcel'):
        ids += ids_of(execution.history(), execution.run_id)
    return ids


@pytest.mark.parametrize('options', MODES.values(), ids=MODES)
def test_the_spans_are_those_that_the_history_says_each_once(live, options):
    traced = Traced()
    started = finish(live, traced.tracing, 7, **options)
    [start] = traced.named('start Order')
    assert traced.ids() == all_ids_of(live, started) + Counter([start.context.span_id])
    assert {span.context.trace_id for span in traced.spans} == {start.context.trace_id}


def test_a_hundred_replays_change_nothing(live):
    traced = Traced()
    started = finish(live, traced.tracing, 7)
    before = traced.ids()
    history = started.history()
    for _ in range(100):
        replay(history, Order)
    assert traced.ids() == before


@pytest.mark.thorough
def test_a_run_that_is_replayed_for_each_of_a_hundred_decisions_exports_each_span_once(live):
    @workflow('Long', 1, 'tl')
    class Long(Workflow):
        def run(self):
            for _ in range(100):
                yield self.sleep(0)

    traced = Traced()
    with working(live, traced.tracing, registry_of(Long), **MODES['cold']):
        started = Client('d', live).starter(Long)()
        started.result(LONG)
    assert sum(span.attributes['genflow.replayed_events'] > 0 for span in traced.named('decide Long')) == 100
    assert traced.ids() == ids_of(started.history(), started.run_id)


def test_two_workers_that_take_turns_export_each_span_once(live):
    traced = Traced()
    with working(live, traced.tracing, sticky=False), working(live, traced.tracing, sticky=False):
        started = Client('d', live).starter(Order)(7)
        started.result(LONG)
    assert traced.ids() == all_ids_of(live, started)


def test_the_tree_leads_through_decisions_to_activities_and_children(live):
    traced = Traced()
    finish(live, traced.tracing, 7)
    tree = traced.tree()
    assert tree[:8] == [
        'start Order',
        '  workflow Order',
        '    decide Order',
        '      activity Charge',
        '        run Charge',
        '    decide Order',
        '      activity Charge',
        '        run Charge',
    ]
    child = tree.index('      child Parcel')
    assert tree[child + 1 : child + 5] == [
        '        workflow Parcel',
        '          decide Parcel',
        '            activity Ship',
        '              run Ship',
    ]
    assert '      timer' in tree


def test_an_execution_that_nobody_traced_is_the_root_of_a_trace_of_its_own(live):
    traced = Traced()
    started = finish(live, traced.tracing, 7, client=())
    [root] = traced.named('workflow Order')
    assert root.parent is None
    assert root.context.trace_id == trace_id(started.run_id)
    assert {span.context.trace_id for span in traced.spans} == {trace_id(started.run_id)}
    assert traced.ids() == all_ids_of(live, started)


def test_a_restart_is_the_child_of_the_decision_that_made_it(live):
    @workflow('Again', 1, 'tl')
    class Again(Workflow):
        def run(self, left):
            yield self.sleep(0)
            return self.restart(left - 1) if left else None

    traced = Traced()
    with working(live, traced.tracing, registry_of(Again)):
        started = Client('d', live).starter(Again)(1)
        started.result(LONG)
    first, second = sorted(traced.named('workflow Again'), key=lambda span: span.start_time)
    assert first.attributes['genflow.run_id'] == started.run_id
    assert second.parent.span_id in {
        span.context.span_id for span in traced.named('decide Again') if span.parent.span_id == first.context.span_id
    }


def test_a_failure_is_told_by_its_class_and_no_payload_is_exported(live):
    traced = Traced()
    finish(live, traced.tracing, 7, True)
    [root] = traced.named('workflow Order')
    assert (root.status.status_code.name, root.attributes['error.type']) == ('ERROR', 'LookupError')
    failed = [span for span in traced.named('run Charge') if span.status.status_code.name == 'ERROR']
    assert [span.attributes['error.type'] for span in failed] == ['ValueError']
    assert PAYLOAD not in ''.join(span.to_json() for span in traced.spans)


def test_spans_have_the_times_of_the_history(live):
    traced = Traced()
    started = finish(live, traced.tracing, 7)
    history = started.history()
    [root] = traced.named('workflow Order')
    begun, ended = (int(history[place]['eventTimestamp'].timestamp() * 1000) for place in (0, -1))
    assert abs(root.start_time // 1_000_000 - begun) <= 1
    assert abs(root.end_time // 1_000_000 - ended) <= 1


def test_what_is_open_when_a_run_closes_has_a_span_too(live):
    @activity('Endless', 1, 'elsewhere')
    class Endless(Activity):
        def run(self):
            """Nobody polls for it."""

    @workflow('Failing', 1, 'tl')
    class Failing(Workflow):
        endless = Endless.proxy()

        def run(self):
            self.endless()
            yield self.sleep(0)
            raise LookupError('x')

    traced = Traced()
    with working(live, traced.tracing, registry_of(Failing, Endless)):
        Client('d', live).starter(Failing)().wait(timeout=LONG)
    [span] = traced.named('activity Endless')
    assert span.attributes['genflow.state'] == 'open when the run closed'


def test_the_span_of_an_attempt_is_current_while_it_runs(live):
    traced = Traced()
    seen = {}

    @activity('Look', 1, 'tl')
    class Look(Activity):
        def run(self):
            seen['thread'] = trace.get_current_span().get_span_context().span_id
            with traced.provider.get_tracer('user').start_as_current_span('inside'):
                pass

    @activity('LookAsync', 1, 'tl')
    class LookAsync(Activity):
        async def run(self):
            seen['loop'] = trace.get_current_span().get_span_context().span_id

    @workflow('Both', 1, 'tl')
    class Both(Workflow):
        look, look_async = Look.proxy(), LookAsync.proxy()

        def run(self):
            yield [self.look(), self.look_async()]

    with working(live, traced.tracing, registry_of(Both, Look, LookAsync)):
        started = Client('d', live).starter(Both)()
        started.result(LONG)
    assert seen == {'thread': span_id(started.run_id, 'attempt 1.1'), 'loop': span_id(started.run_id, 'attempt 2.1')}
    assert traced.named('inside')[0].parent.span_id == seen['thread']


@pytest.mark.parametrize('sampler', [ALWAYS_OFF, ParentBased(TraceIdRatioBased(0))])
def test_a_sampler_that_takes_nothing_is_obeyed_from_the_starter_on(live, sampler):
    traced = Traced(sampler=sampler)
    started = finish(live, traced.tracing, 7)
    assert traced.spans == ()
    headers, _ = opened(started.history()[0]['workflowExecutionStartedEventAttributes']['input'])
    assert int(headers['traceparent'].rpartition('-')[2], 16) & 1 == 0


def test_half_of_the_roots_are_sampled_whole(live):
    traced = Traced(sampler=ParentBased(TraceIdRatioBased(0.5)))
    with working(live, traced.tracing):
        start = Client('d', live).starter(Order)
        executions = [start(number) for number in range(12)]
        for execution in executions:
            execution.result(LONG)
    roots = {span.context.trace_id for span in traced.spans if span.parent is None}
    assert {span.context.trace_id for span in traced.spans} == roots
    expected = {trace_id(one.run_id) for one in executions if trace_id(one.run_id) & (2**64 - 1) < 2**63}
    assert roots == expected


def test_a_trace_that_came_from_outside_continues(live):
    traced = Traced()
    with traced.provider.get_tracer('user').start_as_current_span('request') as request:
        finish(live, traced.tracing, 7)
    assert {span.context.trace_id for span in traced.spans} == {request.get_span_context().trace_id}


def test_without_an_sdk_nothing_is_exported_and_nothing_written(live):
    started = finish(live, Tracing(), 7)
    assert started.result() == 7
    assert started.history()[0]['workflowExecutionStartedEventAttributes']['input'] == '[[7],{}]'


def test_a_worker_without_an_sdk_passes_the_trace_on(live):
    traced = Traced()
    with working(live, Tracing()):
        started = Client('d', live, middleware=traced.tracing).starter(Order)(7)
        started.result(LONG)
    scheduled = [
        opened(event['activityTaskScheduledEventAttributes']['input'])[0]['traceparent']
        for event in started.history()
        if event['eventType'] == 'ActivityTaskScheduled'
    ]
    [start] = traced.spans
    assert {text.split('-')[1] for text in scheduled} == {f'{start.context.trace_id:032x}'}
    assert {text.split('-')[2] for text in scheduled} == {f'{start.context.span_id:016x}'}


def test_a_client_span_tells_the_class_of_an_error(live):
    traced = Traced()
    client = Client('d', live, middleware=traced.tracing)
    with pytest.raises(Exception, match='Unknown'):
        client.execution('nobody').signal('go', PAYLOAD)
    [span] = traced.spans
    assert span.name == 'signal go'
    assert span.status.status_code.name == 'ERROR'
    assert PAYLOAD not in span.to_json()


def test_ids_are_those_of_the_release_that_began_to_derive_them():
    assert span_id('run-1', 'operation 3.1') == 13462931014197284446
    assert trace_id('run-1') == 284142943053252510330540568407742433527


def test_only_the_api_is_imported():
    code = 'import sys, genflow.telemetry.tracing, genflow.telemetry.otel_metrics; print(*sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    assert 'opentelemetry.trace' in modules
    assert not [name for name in modules if name.startswith('opentelemetry.sdk')]
