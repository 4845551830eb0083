"""Addresses and times on a page: both keep the domain and the time zone that somebody chose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone, tzinfo
from html import escape
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import frozen
from markupsafe import Markup

from genflow.insight import duration

__all__ = ['ZONES', 'Links', 'zone_of']

ZONES = (
    'UTC',
    'Europe/Berlin',
    'Europe/London',
    'America/New_York',
    'America/Los_Angeles',
    'Asia/Kolkata',
    'Asia/Tokyo',
    'Australia/Sydney',
)
"""Time zones that are offered; any other one may be typed into the address."""


def zone_of(name: str) -> tuple[str, tzinfo]:
    """A time zone by its name; UTC where there is none of that name."""
    if name and name != 'UTC':
        try:
            return name, ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return 'UTC', timezone.utc


@frozen
class Links:
    """Makes addresses and times for one request.

    Attributes:
        domain: The domain that is looked at.
        usual_domain: The one that needs not be named.
        zone_name: The time zone's name.
        zone: The time zone.
        now: The present.
    """

    domain: str
    usual_domain: str
    zone_name: str
    zone: tzinfo
    now: datetime

    def kept(self) -> dict[str, str]:
        """The parameters that every address of a page has."""
        domain = {'domain': self.domain} if self.domain != self.usual_domain else {}
        return domain | ({'tz': self.zone_name} if self.zone_name != 'UTC' else {})

    def to(self, path: str, params: Mapping[str, Any] | None = None, **more: Any) -> str:
        """An address; parameters that are empty are left out."""
        wanted = {**self.kept(), **(params or {}), **more}
        named = {name: value for name, value in wanted.items() if value not in ('', None)}
        query = urlencode(named, doseq=True, errors='replace')
        return f'{path}?{query}' if query else path

    def execution(self, workflow_id: str, run_id: str | None = None, **more: Any) -> str:
        return self.to('/execution', {'id': workflow_id, 'run': run_id}, **more)

    def stamp(self, when: datetime | None) -> Markup:
        """A moment as an element."""
        if when is None:
            return Markup()
        local = when.astimezone(self.zone)
        text = f'{local:%H:%M:%S}' if local.date() == self.now.astimezone(self.zone).date() else f'{local:%b %d, %H:%M}'
        iso = escape(local.isoformat(timespec='seconds'))
        full = f'{local:%Y-%m-%d %H:%M:%S} {escape(self.zone_name)}'
        return Markup(f'<time datetime="{iso}" title="{full}">{text}</time>')  # noqa: S704 - only times, escaped

    def until(self, when: datetime) -> Markup:
        """How long it is until a moment, which counts down where there is script."""
        rest = (when - self.now).total_seconds()
        text = f'in {duration(rest)}' if rest >= 0 else f'{duration(-rest)} overdue'
        iso = escape(when.isoformat(timespec='seconds'))
        return Markup(f'<time datetime="{iso}" data-until="{iso}">{text}</time>')  # noqa: S704 - as above
