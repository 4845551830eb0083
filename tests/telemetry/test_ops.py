"""The alert rules and the Grafana dashboard: their expressions are PromQL, and name metrics and labels that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

from genflow.local.http.metrics import INSTRUMENTS as SERVER
from genflow.telemetry.instruments import INSTRUMENTS
from genflow.tools.cli.processes.supervisor import INSTRUMENTS as SUPERVISOR

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'telemetry.md'
ALERTS = ROOT / 'ops' / 'alerts.yml'
DASHBOARD = json.loads((ROOT / 'ops' / 'grafana-dashboard.json').read_text(encoding='utf-8'))

RULES = [rule for group in yaml.safe_load(ALERTS.read_text(encoding='utf-8'))['groups'] for rule in group['rules']]
PANELS = [panel for panel in DASHBOARD['panels'] if panel['type'] != 'row']
EXPRESSIONS = [rule['expr'] for rule in RULES] + [one['expr'] for panel in PANELS for one in panel['targets']]

KNOWN = {
    series: {*instrument.labels, *({'le'} if series.endswith('_bucket') else set())}
    for instrument in (*INSTRUMENTS, *SERVER, *SUPERVISOR)
    for series in instrument.series
}
"""The labels of each series."""

OF_PROMETHEUS = {'job', 'instance'}
"""Labels that a scrape adds."""


def selectors(expression):
    """The series of an expression, each with the labels that it is selected by."""
    found = []

    def visit(node):
        if isinstance(node, promql_parser.VectorSelector):
            found.append((node.name, {matcher.name for matcher in node.matchers.matchers}))
        for name in ('expr', 'lhs', 'rhs', 'vector_selector', 'vs', 'args', 'param'):
            inner = getattr(node, name, None)
            for one in inner if isinstance(inner, list) else [inner]:
                if one is not None and not isinstance(one, (str, int, float)):
                    visit(one)

    visit(promql_parser.parse(expression.replace('$__rate_interval', '5m').replace('$__range', '1h')))
    return found


@pytest.mark.parametrize('expression', EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_exist(expression):
    found = selectors(expression)
    assert found
    for name, labels in found:
        assert labels - OF_PROMETHEUS <= KNOWN[name]
    assert {name for name, _ in found} == set(re.findall(r'genflow_\w+', expression))


@pytest.mark.parametrize('expression', EXPRESSIONS)
def test_an_expression_groups_by_labels_that_its_metrics_have(expression):
    labels = set().union(*(KNOWN[name] for name, _ in selectors(expression))) | OF_PROMETHEUS
    for group in re.findall(r'by \(([^)]*)\)', expression):
        assert set(re.split(r',\s*', group)) <= labels


def test_every_metric_is_on_the_dashboard():
    shown = ' '.join(one['expr'] for panel in PANELS for one in panel['targets'])
    missing = [one.name for one in (*INSTRUMENTS, *SERVER, *SUPERVISOR) if one.name not in shown]
    assert missing == []


def test_the_dashboard_is_whole():
    ids = [panel['id'] for panel in DASHBOARD['panels']]
    assert len(ids) == len(set(ids))
    places = {(panel['gridPos']['x'], panel['gridPos']['y']) for panel in DASHBOARD['panels']}
    assert len(places) == len(ids)
    assert all(panel['gridPos']['x'] + panel['gridPos']['w'] <= 24 for panel in DASHBOARD['panels'])
    assert all(panel['title'] and panel['fieldConfig']['defaults']['unit'] for panel in PANELS)
    assert {panel['datasource']['uid'] for panel in PANELS} == {'${source}'}


def test_there_are_six_alerts_each_with_its_line_in_the_documentation():
    text = PAGE.read_text(encoding='utf-8')
    assert len(RULES) == 6
    assert re.findall(r'^\| `(Genflow\w+)` \|', text, re.MULTILINE) == [rule['alert'] for rule in RULES]
    assert all({'summary', 'description'} == set(rule['annotations']) for rule in RULES)


def test_the_labels_in_an_alert_s_words_are_those_of_its_expression():
    for rule in RULES:
        labels = set().union(*(KNOWN[name] for name, _ in selectors(rule['expr']))) | OF_PROMETHEUS
        words = ' '.join(rule['annotations'].values())
        assert set(re.findall(r'\$labels\.(\w+)', words)) <= labels


def test_the_documentation_has_the_table_of_every_metric():
    text = PAGE.read_text(encoding='utf-8')
    rows = [
        f'| `{one.name}` | {one.type} | {", ".join(f"`{label}`" for label in one.labels)} | {one.help} |'
        for one in (*INSTRUMENTS, *SUPERVISOR, *SERVER)
    ]
    assert re.findall(r'^\| `genflow_.*$', text, re.MULTILINE) == rows


def series(metric, values, **labels):
    shown = ','.join(f'{label}="{value}"' for label, value in labels.items())
    return {'series': f'{metric}{{{shown}}}', 'values': values}


FIRES = {
    'GenflowExecutionsHeld': [series('genflow_executions_held', '2+0x60', job='w', instance='a')],
    'GenflowTasksWaitLong': [
        series('genflow_schedule_to_start_seconds_bucket', '0+0x60', kind='activity', name='Charge', le='60'),
        series('genflow_schedule_to_start_seconds_bucket', '0+9x60', kind='activity', name='Charge', le='300'),
        series('genflow_schedule_to_start_seconds_bucket', '0+9x60', kind='activity', name='Charge', le='+Inf'),
    ],
    'GenflowActivitiesFail': [
        series('genflow_activity_seconds_count', '0+5x60', activity='Charge', result='failed'),
        series('genflow_activity_seconds_count', '0+5x60', activity='Charge', result='completed'),
    ],
    'GenflowExecutionsFail': [series('genflow_executions_closed_total', '0+1x60', workflow='Order', result='failed')],
    'GenflowThrottled': [series('genflow_calls_throttled_total', '0+60x60', operation='poll_for_decision_task')],
    'GenflowNobodyWorks': [
        series('genflow_server_waiting_tasks', '3+0x60', kind='activity', task_list='gpu'),
        series('genflow_server_pollers', '0+0x60', kind='activity', task_list='gpu'),
        series('genflow_server_oldest_task_seconds', '400+60x60', kind='activity', task_list='gpu'),
    ],
}


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which('promtool') is None, reason='promtool, of the package prometheus, is not installed')
def test_each_alert_fires_when_it_should_and_not_before(tmp_path):
    tests = [
        {
            'interval': '1m',
            'input_series': given,
            'promql_expr_test': [
                {
                    'expr': f'count(ALERTS{{alertname="{name}",alertstate="firing"}})',
                    'eval_time': when,
                    'exp_samples': firing,
                }
                for when, firing in (('1m', []), ('50m', [{'value': 1}]))
            ],
        }
        for name, given in FIRES.items()
    ]
    assert list(FIRES) == [rule['alert'] for rule in RULES]
    file = tmp_path / 'test.yml'
    file.write_text(yaml.safe_dump({'rule_files': [str(ALERTS)], 'evaluation_interval': '1m', 'tests': tests}))
    done = subprocess.run(['promtool', 'test', 'rules', str(file)], capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, done.stdout + done.stderr
