"""Times as a history gives them: datetimes of boto3, epoch seconds or ISO 8601 of JSON; all become UTC datetimes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from genflow.swf.wire.events import utc

__all__ = ['DAY', 'clock_time', 'duration', 'elapsed', 'seconds_of', 'utc']

MINUTE, HOUR, DAY = 60, 3600, 86400


def seconds_of(text: Any) -> int | None:
    """The seconds of a time-out as SWF writes it; ``None`` for ``'NONE'`` and where there is none."""
    return int(text) if text and text != 'NONE' else None


def duration(value: float | timedelta) -> str:
    """A length of time for people: ``'0.25 s'``, ``'4 min 5 s'``, ``'2 h 10 min'``, ``'3 d 4 h'``."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 0:
        return f'-{duration(-seconds)}'
    if seconds < MINUTE:
        return f'{seconds:.2f}'.rstrip('0').rstrip('.') + ' s' if seconds < 10 else f'{seconds:.0f} s'  # noqa: PLR2004
    whole = round(seconds)
    for size, name, below, small in ((DAY, 'd', HOUR, 'h'), (HOUR, 'h', MINUTE, 'min'), (MINUTE, 'min', 1, 's')):
        if whole >= size:
            rest = whole % size // below
            return f'{whole // size} {name}' + (f' {rest} {small}' if rest else '')
    return f'{whole} s'


def elapsed(length: timedelta) -> str:
    """A time since a start, short: ``'0.14 s'``, ``'7 s'``, ``'0:42'``, ``'2:04:31'``, ``'3d 04:10'``."""
    seconds = length.total_seconds()
    if seconds < 10:  # noqa: PLR2004 - below that, tenths are shown, and below a second hundredths
        return f'{seconds:.{1 if seconds >= 1 else 2}f}'.rstrip('0').rstrip('.') + ' s'
    whole = round(seconds)
    if whole >= DAY:
        return f'{whole // DAY}d {whole % DAY // HOUR:02}:{whole % HOUR // MINUTE:02}'
    if whole >= HOUR:
        return f'{whole // HOUR}:{whole % HOUR // MINUTE:02}:{whole % MINUTE:02}'
    return f'{whole // MINUTE}:{whole % MINUTE:02}'


def clock_time(when: datetime, now: datetime | None = None) -> str:
    """``14:02:10`` for a time of the same day as ``now``, in its zone; else with the date."""
    if now is not None and now.tzinfo is not None:
        when = when.astimezone(now.tzinfo)
    same_day = now is not None and when.date() == now.date()
    return f'{when:%H:%M:%S}' if same_day else f'{when:%Y-%m-%d %H:%M:%S}'
