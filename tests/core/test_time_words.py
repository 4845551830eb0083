"""Durations as timedelta, `sleep_until` and `cron`."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from genflow import Activity, ActivityProxy, DefinitionError, Retry, Workflow, WorkflowProxy, activity, cron, workflow
from genflow.core.model.registry import declared

from .story import START, Story

VIENNA = ZoneInfo('Europe/Vienna')


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


# timedelta


def test_a_timer_of_a_timedelta_is_rounded_up_to_seconds():
    def run(self):
        yield [self.sleep(timedelta(minutes=2)), self.sleep(timedelta(milliseconds=1)), self.sleep(120)]

    assert Story(run).decide() == ['timer 1 120s', 'timer 2 1s', 'timer 3 120s']


def test_a_time_limit_of_a_timedelta():
    def run(self):
        yield self.echo(1).timeout(timedelta(hours=1))

    assert Story(run).decide() == ['activity 1.1 Echo [[1],{}]', 'timer 2 3600s']


def test_options_of_calls_take_timedelta():
    minute = timedelta(minutes=1)
    given = ActivityProxy('A', '1', minute, 2 * minute, 3 * minute, 4 * minute, delay=minute).options
    assert (given.heartbeat, given.schedule_to_close, given.schedule_to_start) == (60, 120, 180)
    assert (given.start_to_close, given.delay) == (240, 60)
    child = WorkflowProxy('C', '1', minute, 2 * minute).options
    assert (child.decision_duration, child.workflow_duration) == (60, 120)


def test_a_retry_takes_timedelta():
    retry = Retry(5, initial_interval=timedelta(seconds=2), max_interval=timedelta(minutes=1))
    assert retry == Retry(5, initial_interval=2, max_interval=60)


def test_decorators_take_timedelta():
    @activity('TimedActivity', 1, 'list', schedule_to_start=timedelta(minutes=1), start_to_close=timedelta(minutes=2))
    class TimedActivity(Activity):
        def run(self):
            pass

    @workflow('TimedWorkflow', 1, 'list', workflow_duration=timedelta(days=31))
    class TimedWorkflow(Workflow):
        def run(self):
            pass

    (spec,) = declared(TimedActivity)
    assert (spec.schedule_to_start, spec.start_to_close, spec.schedule_to_close) == (60, 120, 180)
    assert next(declared(TimedWorkflow)).workflow_duration == 31 * 86_400


@pytest.mark.parametrize('value', [timedelta(seconds=-1), timedelta(days=366)])
def test_a_timedelta_out_of_range_is_refused(value):
    with pytest.raises(DefinitionError, match='between 0 and 31,536,000'):
        Workflow().sleep(value)


# sleep_until


@pytest.mark.parametrize(
    ('time', 'timer'),
    [
        (START + timedelta(hours=1), 'timer 1 3600s'),
        (START - timedelta(hours=1), 'timer 1 0s'),
        ((START + timedelta(hours=2)).astimezone(VIENNA), 'timer 1 7200s'),
    ],
)
def test_sleep_until_is_a_timer_from_now(time, timer):
    def run(self):
        yield self.sleep_until(time - START + self.now())

    assert Story(run).decide() == [timer]


def test_sleep_until_needs_a_time_zone():
    with pytest.raises(DefinitionError, match='takes a datetime with a time zone'):
        Workflow().sleep_until(datetime(2030, 1, 1))  # noqa: DTZ001 - the case


def test_sleep_until_takes_no_duration():
    with pytest.raises(DefinitionError, match=r'sleep_until\(\) was given 5'):
        Workflow().sleep_until(5)


# cron


@pytest.mark.parametrize(
    ('expression', 'after', 'expected'),
    [
        ('0 7 * * mon-fri', '2024-03-28T12:00', '2024-03-29T06:00'),  # a Thursday; winter time, UTC+1
        ('0 7 * * mon-fri', '2024-03-29T12:00', '2024-04-01T05:00'),  # over a weekend in which summer time begins
        ('0 7 * * mon-fri', '2024-10-25T12:00', '2024-10-28T06:00'),  # over the one in which it ends
        ('30 2 * * *', '2024-03-30T12:00', '2024-03-31T01:00'),  # 02:30 does not exist: right after the gap
        ('30 2 * * *', '2024-10-26T12:00', '2024-10-27T00:30'),  # 02:30 comes twice: the first one
        ('30 2 * * *', '2024-10-27T00:30', '2024-10-28T01:30'),  # and not the second
        ('*/30 * * * *', '2024-10-27T00:30', '2024-10-27T01:00'),  # but every half hour is that of elapsed time
        ('0 0 29 2 *', '2024-03-01T00:00', '2028-02-28T23:00'),
    ],
)
def test_cron_gives_the_next_time_of_the_time_zone(expression, after, expected):
    found = cron(expression, tz='Europe/Vienna', after=utc(after))
    assert found.astimezone(timezone.utc) == utc(expected)
    assert found.tzinfo == VIENNA


def test_cron_is_in_utc_by_default():
    assert cron('0 7 * * *', after=utc('2024-07-01T07:00')) == utc('2024-07-02T07:00')


def test_a_workflow_sleeps_until_the_next_time():
    def run(self):
        yield self.sleep_until(cron('0 7 * * *', after=self.now()))

    story = Story(run)
    (timer,) = story.decide()
    seconds = int(timer.split()[2].rstrip('s'))
    assert 6 * 3600 < seconds <= 7 * 3600  # it begins at midnight


@pytest.mark.parametrize(
    ('expression', 'message'),
    [
        ('61 0 * * *', 'cannot be read: Bad minute'),
        ('0 0 30 2 *', 'cannot be read'),
        ('0 7 * *', 'it must have 5 fields'),
        ('0 0 7 * * *', 'it must have 5 fields'),
    ],
)
def test_an_expression_that_cannot_be_read_is_refused(expression, message):
    with pytest.raises(DefinitionError, match=message):
        cron(expression, after=utc('2024-01-01T00:00'))


def test_cron_refuses_an_unknown_time_zone_and_a_naive_time():
    with pytest.raises(DefinitionError, match="the time zone 'Europe/Atlantis' is unknown"):
        cron('0 7 * * *', tz='Europe/Atlantis', after=utc('2024-01-01T00:00'))
    with pytest.raises(DefinitionError, match='without a time zone'):
        cron('0 7 * * *', after=datetime(2024, 1, 1))  # noqa: DTZ001 - the case


def test_without_the_extra_cron_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cronsim', None)
    with pytest.raises(ImportError, match=r'pip install "genflow\[cron\]"'):
        cron('0 7 * * *', after=utc('2024-01-01T00:00'))
