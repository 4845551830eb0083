from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone

from rich.console import Console

from genflow.tools.executions.steps import ExecutionSteps
from genflow.tools.run.views import PlainView, picture

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def event(number, kind, seconds=0.0, **attributes):
    block = f'{kind[0].lower()}{kind[1:]}EventAttributes'
    when = START + timedelta(seconds=seconds)
    return {'eventId': number, 'eventType': kind, 'eventTimestamp': when, block: attributes}


def scheduled(number, name):
    kind = {'name': name, 'version': '1'}
    return event(number, 'ActivityTaskScheduled', number, activityType=kind, activityId=f'{number}.1')


def drawn(events, now=START):
    steps = ExecutionSteps()
    list(steps.apply_all(events))
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(picture('Order', steps.view, now))
    return console.file.getvalue()


def cells(line):
    return [cell.strip() for cell in line.strip('│\n').split('│')]


def test_a_plain_line_has_the_seconds_since_the_start():
    stream, steps = io.StringIO(), ExecutionSteps()
    started = event(1, 'WorkflowExecutionStarted', workflowType={'name': 'Order', 'version': '1'})
    events = [started, event(2, 'WorkflowExecutionCompleted', 1.5)]
    PlainView(stream).show(steps.apply_all(events), steps.view)
    assert stream.getvalue() == '    0.000s  workflow Order 1 started\n    1.500s  workflow completed\n'


def test_the_picture_counts_what_is_done_and_what_is_open():
    done = event(4, 'ActivityTaskCompleted', scheduledEventId=1)
    begun = event(5, 'ActivityTaskStarted', scheduledEventId=2)
    text = drawn([scheduled(1, 'Pack'), scheduled(2, 'Pack'), scheduled(3, 'Pack'), done, begun])
    (row,) = [cells(line) for line in text.splitlines() if '│ Pack' in line]
    assert row == ['activity', 'Pack 1', '1', '0', '0', '2', '1 scheduled, 1 started']
    assert 'Order: open' in text


def test_the_picture_counts_what_failed_and_what_was_tried_again_apart():
    def tried(number, activity_id):
        kind = {'name': 'Pack', 'version': '1'}
        return event(number, 'ActivityTaskScheduled', activityType=kind, activityId=activity_id)

    events = [
        tried(1, '1.1'),
        event(2, 'ActivityTaskFailed', scheduledEventId=1),
        event(3, 'TimerStarted', timerId='1.2;w', startToFireTimeout='1'),
        event(4, 'TimerFired', timerId='1.2;w', startedEventId=3),
        tried(5, '1.2'),
        event(6, 'ActivityTaskCompleted', scheduledEventId=5),
        tried(7, '2.1'),
        event(8, 'ActivityTaskTimedOut', scheduledEventId=7, timeoutType='HEARTBEAT'),
    ]
    pausing = drawn(events[:3])
    assert 'waits for the time of the next try' in pausing
    for text, counts in ((pausing, ['0', '0', '1', '0']), (drawn(events), ['1', '1', '1', '0'])):
        (row,) = [cells(line) for line in text.splitlines() if '│ Pack' in line]
        assert row == ['activity', 'Pack 1', *counts, '']
    assert 'timer' not in text  # the pause before the second try is the engine's


def test_the_picture_tells_time_status_and_what_is_waited_for():
    started = event(1, 'WorkflowExecutionStarted', workflowType={'name': 'Order', 'version': '1'})
    decided = event(2, 'DecisionTaskCompleted', 1, executionContext='"half\x1b"')
    text = drawn([started, decided, scheduled(3, 'Pack')], START + timedelta(seconds=3723))
    assert 'Order: open, 1:02:03' in text
    assert 'status: "half\\u001b"' in text
    assert 'waits for activity Pack 1 [3.1], scheduled, for 1:02:00' in text


def test_the_time_of_a_run_that_has_closed_stands_still():
    events = [
        event(1, 'WorkflowExecutionStarted', workflowType={'name': 'Order', 'version': '1'}),
        event(2, 'WorkflowExecutionCompleted', 5),
    ]
    assert 'Order: completed, 0:05' in drawn(events, START + timedelta(days=1))


def test_a_plain_view_leaves_the_reason_of_a_close_to_what_follows_it():
    stream, steps = io.StringIO(), ExecutionSteps()
    PlainView(stream).show(steps.apply_all([event(2, 'WorkflowExecutionFailed', reason='broken')]), steps.view)
    assert stream.getvalue() == '    0.000s  workflow failed\n'


def test_the_picture_shows_no_more_rows_than_fit_those_last_begun_first():
    text = drawn([scheduled(number, f'Kind{number:03}') for number in range(1, 41)])
    assert [cells(line)[1] for line in text.splitlines() if '│' in line and 'Kind' in line] == [
        f'Kind{number:03} 1' for number in range(29, 41)
    ]


def test_names_are_never_taken_for_markup():
    assert '[red]x 1' in drawn([scheduled(1, '[red]x')])
