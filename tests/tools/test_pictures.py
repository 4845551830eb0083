"""Pictures of executions: complete, within the width, safe with hostile text."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from genflow.insight import ExecutionView, diagnose
from genflow.testing import History
from genflow.tools.cli.main import main
from genflow.tools.pictures.graphs import dot, mermaid
from genflow.tools.pictures.html import html
from genflow.tools.pictures.svg import svg
from genflow.tools.pictures.terminal import MARKS, page, plain, timeline
from genflow.tools.pictures.tree import picture_of
from genflow.tools.text.printable import printable
from tests.insight.breaking import DECIDERS, WAYS, Environment, Plain, Retrying
from tests.testing.orders import Order

HOSTILE = '</pre><script>alert(1)</script>"\'\x1b[31m\u202e & <img src=x onerror=alert(1)>'
WIDTHS = (40, 56, 80, 120, 240)


@pytest.fixture(scope='module')
def retrying():
    env = Environment(warmups=1, beside=True)
    env.begin(Retrying)
    env.wait(5)
    token = env.take()
    env.wait(3)
    env.fail(token, HOSTILE)
    env.decide()
    env.wait(2)
    return env


def picture(env):
    gathered = env.gathered()
    return picture_of(gathered.view, gathered.now)


@pytest.mark.parametrize('width', WIDTHS)
@pytest.mark.parametrize('draw', [page, timeline])
def test_no_line_is_wider_than_the_terminal(retrying, draw, width):
    lines = plain(draw(picture(retrying), width)).splitlines()
    assert max(map(len, lines)) <= width
    assert any('Work' in line for line in lines)


def test_the_page_shows_attempts_wait_and_run_time(retrying):
    text = printable(plain(page(picture(retrying), 120)))
    assert re.search(r'↻ activity 3 Work  retrying +5 s \+ +3 s', text)
    assert '✗ attempt 1 failed: </pre>' in text
    assert '─' not in text
    assert re.search(r'● timer|○ timer 2 \(2 d 7 h\)', text)


def test_the_timeline_draws_wait_and_run_in_two_shades(retrying):
    (line,) = [one for one in plain(timeline(picture(retrying), 120)).splitlines() if 'Work' in one]
    assert re.search('░+█+─+', line)


def test_short_bars_do_not_vanish():
    env = Environment()
    env.begin(Plain)
    env.take()
    env.wait(0.001)
    env.swf.terminate_workflow_execution(domain='d', workflowId='w')
    env.wait(90_000)
    (line,) = [one for one in plain(timeline(picture(env), 80)).splitlines() if 'Work' in one]
    assert '█' in line


def test_an_execution_that_has_requested_nothing_says_so():
    env = Environment()
    env.start(Plain, 'w')
    for drawn in (plain(page(picture(env), 80)), plain(timeline(picture(env), 80)), svg(picture(env))):
        assert 'It has scheduled nothing yet.' in drawn


def test_an_execution_that_closed_without_operations_says_so_and_shows_its_result():
    env = Environment()
    env.start(Plain, 'w')
    task = env.swf.poll_for_decision_task(domain='d', taskList={'name': DECIDERS})
    attributes = {'result': '[42]'}
    close = {
        'decisionType': 'CompleteWorkflowExecution',
        'completeWorkflowExecutionDecisionAttributes': attributes,
    }
    env.swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[close])
    shown = plain(page(picture(env), 80))
    assert 'It closed without scheduling anything.' in shown
    assert 'result [42]' in shown
    assert 'It closed without scheduling anything.' in svg(picture(env))


def test_the_svg_is_well_formed_and_says_in_words_what_it_shows(retrying):
    root = ET.fromstring(svg(picture(retrying)))  # noqa: S314 - it is our own
    space = {'s': 'http://www.w3.org/2000/svg'}
    assert root.get('role') == 'img'
    assert root.find('s:desc', space).text.startswith('The execution is open after 10 s.')
    titles = [one.text for one in root.findall('s:g/s:title', space)]
    assert any('activity 3 Work: retrying, waited 5 s, ran 3 s, by worker-1, failed' in title for title in titles)
    assert root.findall('.//s:script', space) == []


def test_the_page_has_no_script_and_payloads_are_only_text(retrying):
    gathered = retrying.gathered()
    text = html(picture(retrying), diagnose(gathered.view, gathered.now))
    assert '<script' not in text
    assert '<img' not in text
    assert '\x1b' not in text
    assert '\u202e' not in text
    assert "default-src 'none'" in text
    assert '//' not in text.replace('http://www.w3.org/2000/svg', '')
    assert text.count('<details id="e') == gathered.view.last_event_id


def test_mermaid_and_dot_hold_every_operation_and_what_led_to_it():
    history = History(Order, 1).decide().completed(Order.charge.task(1), 'ok').decide()
    view = ExecutionView().apply_all(history.signaled('approve', True).decide().events)
    assert [line for line in mermaid(view).splitlines() if '-->' in line] == [
        '    start --> o5',
        '    o5 --> o15',
        '    s14_0 --> o15',
    ]
    assert [line for line in dot(view).splitlines() if '->' in line] == [
        '    start -> o5;',
        '    o5 -> o15;',
        '    s14_0 -> o15;',
    ]


def test_labels_cannot_leave_their_quotes():
    view = ExecutionView().apply_all(
        History(Order, 1).decide().signaled('x"]; evil --> o1', 1).completed(Order.charge.task(1), 'ok').decide().events
    )
    assert 'evil -->' not in mermaid(view)
    assert '"x"]' not in dot(view)


def test_what_closed_leads_to_the_end():
    view = WAYS['failed-by-activity']({}).view
    assert mermaid(view).splitlines()[-1].startswith('    classDef')
    assert '    o5 --> finish' in mermaid(view)


def test_printable_shows_controls_and_changes_of_direction():
    assert printable('a\x1b[31m\x07\u202eb\n\tc\x9b') == 'a\ufffd[31m\ufffd\ufffdb\n\tc\ufffd'


@pytest.mark.parametrize(
    ('command', 'expected'),
    [
        (['show'], 'Order 1'),
        (['timeline'], '░'),
        (['graph', '--format', 'svg'], '<svg'),
        (['graph', '--format', 'html'], '<!doctype html>'),
        (['graph', '--format', 'mermaid'], 'flowchart LR'),
        (['graph', '--format', 'dot'], 'digraph'),
    ],
)
def test_each_command_draws_a_file_of_json(tmp_path, capsys, command, expected):
    path = tmp_path / 'history.json'
    path.write_text(History(Order, 1).decide().after(seconds=4).signaled('approve', 1).to_json())
    assert main([*command, '--file', str(path)]) == 0
    out = capsys.readouterr().out
    assert expected in out
    assert '\x1b' not in out


def test_a_file_that_is_no_history_is_one_message(tmp_path, capsys):
    path = tmp_path / 'x.json'
    path.write_text(json.dumps({'events': []}))
    assert main(['show', '--file', str(path)]) == 2
    assert 'has no events' in capsys.readouterr().err


def test_the_graph_can_be_written_to_a_file(tmp_path, capsys):
    path = tmp_path / 'history.json'
    path.write_text(History(Order, 1).decide().to_json())
    assert main(['graph', '--file', str(path), '-o', str(tmp_path / 'x.svg')]) == 0
    assert (tmp_path / 'x.svg').read_text().startswith('<svg')
    assert capsys.readouterr().out == ''


def test_the_marks_of_states_are_of_the_blocks_of_unicode_that_every_font_has():
    arrows_and_operators, shapes, dingbats = range(0x2190, 0x2300), range(0x25A0, 0x2600), range(0x2713, 0x2718)
    for mark, _ in MARKS.values():
        assert mark.isascii() or any(ord(mark) in block for block in (arrows_and_operators, shapes, dingbats))
