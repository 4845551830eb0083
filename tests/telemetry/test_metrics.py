"""Metrics: what is counted, once, whatever is replayed; and the two ways in which it is told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from genflow import Client
from genflow.exposition import Instrument, Measurements, joined
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.telemetry import Meters, PrometheusMetrics
from genflow.telemetry.instruments import INSTRUMENTS
from genflow.telemetry.otel_metrics import otel_name
from tests.telemetry.orders import PAYLOAD, Order, finish, working

LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? ([0-9.e+-]+|\+Inf)\Z')


def samples(text):
    """The samples of a text, by name with labels; every line has to have Prometheus' form."""
    found = {}
    for line in text.splitlines():
        if not line.startswith('# '):
            assert LINE.match(line), line
            name, number = line.rsplit(' ', 1)
            found[name] = float(number)
    return found


MODES = {'kept': {}, 'cold': {'sticky': False, 'cache': StickyCache(max_executions=0)}}


@pytest.mark.parametrize('options', MODES.values(), ids=MODES)
def test_an_order_is_counted_once_however_often_it_is_replayed(live, options):
    metrics = PrometheusMetrics()
    finish(live, metrics, 7, **options)
    found = samples(metrics.text())
    assert {name: found[name] for name in found if 'scheduled' in name or 'retries' in name or 'total{w' in name} == {
        'genflow_operations_scheduled_total{kind="activity",name="Charge"}': 2,
        'genflow_operations_scheduled_total{kind="activity",name="Ship"}': 1,
        'genflow_operations_scheduled_total{kind="child",name="Parcel"}': 1,
        'genflow_operations_scheduled_total{kind="timer",name=""}': 1,
        'genflow_retries_total{kind="activity",name="Charge"}': 1,
        'genflow_executions_started_total{workflow="Order"}': 1,
        'genflow_executions_started_total{workflow="Parcel"}': 1,
        'genflow_executions_closed_total{workflow="Order",result="completed"}': 1,
        'genflow_executions_closed_total{workflow="Parcel",result="completed"}': 1,
    }
    assert found['genflow_activity_seconds_count{activity="Charge",result="failed"}'] == 1
    assert found['genflow_activity_seconds_count{activity="Charge",result="completed"}'] == 1
    assert found['genflow_schedule_to_start_seconds_count{kind="activity",name="Charge"}'] == 2
    assert found['genflow_execution_seconds_count{workflow="Order",result="completed"}'] == 1
    assert found['genflow_client_calls_total{operation="start",result="made"}'] == 1
    decisions = found['genflow_decision_seconds_count{workflow="Order"}']
    assert found['genflow_schedule_to_start_seconds_count{kind="decision",name="Order"}'] == decisions
    replays = found.get('genflow_replayed_events_count{workflow="Order"}', 0)
    assert replays == (0 if options == {} else decisions - 1)
    assert PAYLOAD not in metrics.text()


def test_what_a_worker_counts_by_itself_is_shown_too(live):
    metrics = PrometheusMetrics()
    with working(live, metrics) as worker:
        metrics.watch(worker)
        Client('d', live).starter(Order)(7).result(60)
    found = samples(metrics.text())
    assert found['genflow_tasks_total{kind="activity",result="completed"}'] == 2
    assert found['genflow_executions_held'] == 0
    assert found['genflow_decisions_continued_total'] > 0


def test_opentelemetry_has_the_same_numbers(live):
    reader = InMemoryMetricReader()
    meters, metrics = Meters(MeterProvider([reader])), PrometheusMetrics()
    with working(live, [meters, metrics]) as worker:
        meters.watch(worker)
        metrics.watch(worker)
        Client('d', live, middleware=[meters, metrics]).starter(Order)(7).result(60)
    mine = samples(metrics.text())
    points = {
        (metric.name, tuple(sorted(point.attributes.items()))): point
        for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }
    compared = 0
    for instrument in INSTRUMENTS:
        for name, number in mine.items():
            suffix = '_count' if instrument.type == 'histogram' else ''
            if name.partition('{')[0] == instrument.name + suffix:
                labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', name)))
                point = points[otel_name(instrument), labels]
                assert (point.count if suffix else point.value) == number
                compared += 1
    assert compared > 20


@given(st.text(st.characters(exclude_categories=['Cs'])))
def test_any_label_is_written_on_one_line_and_read_back(value):
    instrument = Instrument('n_total', 'counter', 'Help\nwith \\ two lines.', ('label',))
    numbers = Measurements((instrument,))
    numbers.add(instrument, 2, value)
    *_, line = numbers.text().split('\n')[:-1]
    written = re.fullmatch(r'n_total\{label="(.*)"\} 2', line, re.DOTALL)[1]
    assert re.sub(r'\\(.)', lambda match: {'n': '\n'}.get(match[1], match[1]), written) == value


@given(st.lists(st.floats(0, 100), max_size=30))
def test_buckets_are_cumulative_and_end_with_the_count(values):
    instrument = Instrument('n', 'histogram', 'Help.', (), (0.5, 1, 10))
    numbers = Measurements((instrument,))
    for value in values:
        numbers.observe(instrument, value)
    found = samples(numbers.text())
    if values:
        for bound, le in ((0.5, '0.5'), (1, '1'), (10, '10'), (1e9, '+Inf')):
            assert found[f'n_bucket{{le="{le}"}}'] == sum(value <= bound for value in values)
        assert found['n_count'] == len(values)
        assert found['n_sum'] == pytest.approx(sum(values))


def test_the_texts_of_processes_are_joined_by_family():
    counter = Instrument('n_total', 'counter', 'Help.', ('label',))
    gauge = Instrument('g', 'gauge', 'Gauge.')
    texts = {}
    for process, number in (('1', 3), ('2', 4)):
        numbers = Measurements((counter, gauge))
        numbers.add(counter, number, 'a "b"')
        texts[process] = numbers.text()
    assert joined(texts, 'process') == (
        '# HELP n_total Help.\n# TYPE n_total counter\n'
        'n_total{process="1",label="a \\"b\\""} 3\nn_total{process="2",label="a \\"b\\""} 4\n'
        '# HELP g Gauge.\n# TYPE g gauge\ng{process="1"} 0\ng{process="2"} 0\n'
    )
