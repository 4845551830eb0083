"""The times of a cron expression: ``cron('0 7 * * mon-fri', tz='Europe/Vienna', after=self.now())``.

The expression is evaluated by cronsim, which follows Debian's cron where clocks change. The function is pure: the same
arguments give the same time, so a workflow may call it with ``self.now()``.
"""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo
from importlib import import_module
from types import ModuleType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from genflow.core.errors import DefinitionError

__all__ = ['cron']

FIELDS = 5
"""Minute, hour, day of the month, month, day of the week: SWF's timers know nothing that needs a field of seconds."""


def cron(expression: str, *, after: datetime, tz: str | tzinfo = timezone.utc) -> datetime:
    """The first time after ``after`` that a cron expression names.

    Where clocks are put forward, a fixed time that the day skips is due right after the gap; where they are put back, a
    fixed time that the day has twice is due once. Expressions such as ``*/10 * * * *`` are due every ten minutes of
    elapsed time.

    Args:
        expression: Minute, hour, day of the month, month, day of the week; names such as ``mon-fri`` are known.
        after: An aware time, such as ``self.now()``; the result is later than it.
        tz: The time zone in which the expression is meant, as an IANA name or a ``tzinfo``.

    Returns:
        An aware time in ``tz``, for ``self.sleep_until(...)``.

    Raises:
        DefinitionError: The expression cannot be read or never comes true, the time zone is unknown, or ``after`` has
            no time zone.
        ImportError: genflow is installed without its extra ``cron``.
    """
    simulator = _simulator()
    if after.tzinfo is None:
        raise DefinitionError(f'after is {after.isoformat()}, without a time zone; give an aware time: self.now()')
    if len(str(expression).split()) != FIELDS:
        raise DefinitionError(
            f'the cron expression is {expression!r}; it must have {FIELDS} fields, such as "0 7 * * mon-fri": minute, '
            'hour, '
            'day of the month, month, day of the week'
        )
    try:
        found: datetime = next(simulator.CronSim(expression, after.astimezone(_zone(tz))))
    except simulator.CronSimError as error:
        raise DefinitionError(f'the cron expression {expression!r} cannot be read: {error}') from None
    except StopIteration:
        raise DefinitionError(f'the cron expression {expression!r} matches no time within the next 50 years') from None
    return found


def _zone(tz: str | tzinfo) -> tzinfo:
    if isinstance(tz, tzinfo):
        return tz
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise DefinitionError(
            f'the time zone {tz!r} is unknown: {error}; give an IANA name such as "Europe/Vienna". Systems without a '
            'time zone database need the package tzdata'
        ) from None


def _simulator() -> ModuleType:
    try:
        return import_module('cronsim')
    except ImportError:
        raise ImportError('cron() needs the package cronsim: pip install "genflow[cron]"') from None
