"""Timestamps of events: datetimes of boto3, seconds since 1970 of boto 2 and of JSON, ISO 8601 of the AWS CLI."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from genflow.core.errors import HistoryError

__all__ = ['utc']


def utc(when: Any) -> datetime:
    """A timestamp of an event in UTC.

    Raises:
        HistoryError: It is neither a datetime, nor seconds since 1970, nor ISO 8601.
    """
    try:
        if isinstance(when, datetime):  # boto3 gives the zone of the machine
            return when if when.tzinfo is timezone.utc else when.astimezone(timezone.utc)
        if isinstance(when, str):
            return datetime.fromisoformat(when.replace('Z', '+00:00')).astimezone(timezone.utc)
        return datetime.fromtimestamp(when, timezone.utc)
    except (TypeError, ValueError, OverflowError) as error:
        raise HistoryError(f'{when!r} is not a timestamp: expected epoch seconds or ISO 8601') from error
