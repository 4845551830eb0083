from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone

from rich.console import Console

from genflow.tools.run.progress import Progress
from genflow.tools.run.views import ROWS_SHOWN, PlainView, picture

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def event(number, kind, seconds=0.0, **attributes):
    block = f'{kind[0].lower()}{kind[1:]}EventAttributes'
    when = START + timedelta(seconds=seconds)
    return {'eventId': number, 'eventType': kind, 'eventTimestamp': when, block: attributes}


def scheduled(number, name):
    kind = {'name': name, 'version': '1'}
    return event(number, 'ActivityTaskScheduled', number, activityType=kind, activityId=f'{number}.1')


def drawn(events):
    progress = Progress()
    list(progress.apply_all(events))
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(picture('Order', progress))
    return console.file.getvalue()


def cells(line):
    return [cell.strip() for cell in line.strip('│\n').split('│')]


def test_a_plain_line_has_the_seconds_since_the_start():
    stream, progress = io.StringIO(), Progress()
    started = event(1, 'WorkflowExecutionStarted', workflowType={'name': 'Order', 'version': '1'})
    events = [started, event(2, 'WorkflowExecutionCompleted', 1.5)]
    PlainView(stream).show(progress.apply_all(events), progress)
    assert stream.getvalue() == '    0.000s  workflow Order 1 started\n    1.500s  workflow completed\n'


def test_the_picture_counts_what_is_done_and_what_is_open():
    done = event(4, 'ActivityTaskCompleted', scheduledEventId=1)
    begun = event(5, 'ActivityTaskStarted', scheduledEventId=2)
    text = drawn([scheduled(1, 'Pack'), scheduled(2, 'Pack'), scheduled(3, 'Pack'), done, begun])
    (row,) = [cells(line) for line in text.splitlines() if 'Pack' in line]
    assert row == ['activity', 'Pack 1', '1', '2', '1 scheduled, 1 started']
    assert 'Order: open' in text


def test_the_picture_shows_no_more_rows_than_fit_those_last_begun_first():
    text = drawn([scheduled(number, f'Kind{number:03}') for number in range(1, 41)])
    assert text.count('Kind') == ROWS_SHOWN
    assert 'Kind040' in text
    assert 'Kind001' not in text


def test_names_are_never_taken_for_markup():
    assert '[red]x 1' in drawn([scheduled(1, '[red]x')])
