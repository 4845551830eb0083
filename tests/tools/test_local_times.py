"""``--time local``: each command that shows times of day shows them in the zone of the machine, and names the zone."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone

import pytest

from genflow.local import LocalSWF
from genflow.tools.cli.main import main

pytestmark = pytest.mark.skipif(not hasattr(time, 'tzset'), reason='the zone of a process is only set on POSIX')


@pytest.fixture
def tokyo(monkeypatch):
    monkeypatch.setenv('TZ', 'Asia/Tokyo')
    time.tzset()
    yield timezone(timedelta(hours=9))
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def started(tmp_path):
    """When an execution in a file was started, in UTC."""
    kind = {'name': 'Order', 'version': '1'}
    with LocalSWF(tmp_path / 'x.db') as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        service.register_workflow_type(domain='genflow', **kind)
        service.start_workflow_execution(
            domain='genflow',
            workflowId='order',
            workflowType=kind,
            taskList={'name': 'orders'},
            childPolicy='TERMINATE',
            taskStartToCloseTimeout='60',
            executionStartToCloseTimeout='3600',
        )
        (info,) = service.list_open_workflow_executions(
            domain='genflow', startTimeFilter={'oldestDate': datetime(2000, 1, 1, tzinfo=timezone.utc)}
        )['executionInfos']
    return info['startTimestamp'].astimezone(timezone.utc)


@pytest.mark.parametrize(
    'command', [['show', 'order'], ['timeline', 'order'], ['why', 'order'], ['history', 'order'], ['list']]
)
@pytest.mark.parametrize('zone', ['local', 'utc'])
def test_times_of_day_are_of_the_zone_that_is_requested(tokyo, started, tmp_path, capsys, command, zone):
    main([*command, '--db', str(tmp_path / 'x.db'), '--time', zone])
    out = capsys.readouterr().out
    there = started.astimezone(tokyo if zone == 'local' else timezone.utc)
    hours = {f'{there + timedelta(seconds=shift):%H:%M}' for shift in (-60, 0, 60, 3600, 3660)}  # and its deadline
    shown = re.findall(r'\b(\d\d:\d\d):\d\d\b', out)
    assert shown
    assert set(shown) <= hours
