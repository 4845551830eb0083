"""Times for people."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from genflow.insight import clock_time, duration, utc

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [
        (0, '0 s'),
        (0.25, '0.25 s'),
        (9.999, '10 s'),
        (59.4, '59 s'),
        (60, '1 min'),
        (245, '4 min 5 s'),
        (7800, '2 h 10 min'),
        (273_600, '3 d 4 h'),
        (-5, '-5 s'),
    ],
)
def test_durations_have_two_units_at_most(seconds, text):
    assert duration(seconds) == text
    assert duration(timedelta(seconds=seconds)) == text


def test_a_time_of_another_day_has_its_date():
    assert clock_time(NOON, NOON + timedelta(hours=1)) == '12:00:00'
    assert clock_time(NOON, NOON + timedelta(hours=13)) == '2026-03-01 12:00:00'


@pytest.mark.parametrize('when', [NOON, NOON.timestamp(), '2026-03-01T12:00:00Z', '2026-03-01T13:00:00.000+01:00'])
def test_utc_reads_what_boto3_and_the_aws_command_line_write(when):
    assert utc(when) == NOON
    assert utc(when).tzinfo is timezone.utc
