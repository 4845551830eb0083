"""What a dashboard looks at: one service, or a folder of files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from genflow.insight import ExecutionView, Facts
from genflow.insight.command_line import quoted
from genflow.swf.aws.pagination import pages
from genflow.tools.executions.gathering import Gathered, Gatherer, now

__all__ = ['Fork', 'Source']

Fork = Callable[[str, str, str, Sequence[Any]], str]
"""Opens a new run of a closed execution: the domain, the workflow id, the run id, the events; gives the new run id."""


@frozen
class Source:
    """What a dashboard looks at.

    Attributes:
        client: Has the methods of boto3's SWF client.
        name: What people call it: an address, a file, a folder.
        domain: The domain to begin with.
        options: What a genflow command needs to reach the same service, without the domain.
        file: The file of the service, for commands that need it; ``None`` where it is not known.
        is_live: Whether it is a service; a folder of files is not.
        pace: Seconds between two looks at something that may have changed.
        fork: Copies a history into a new run, as a repair does; ``None`` where that cannot be done.
        clock: Gives the present.
    """

    client: Any
    name: str
    domain: str = 'genflow'
    options: str = ''
    file: str | None = None
    is_live: bool = True
    pace: float = 0.5
    fork: Fork | None = None
    clock: Callable[[], datetime] = field(default=now)

    def domains(self) -> list[str]:
        """The registered domains."""
        found = pages(self.client.list_domains, registrationStatus='REGISTERED')
        return sorted(info['name'] for page in found for info in page['domainInfos'])

    def options_for(self, domain: str) -> str:
        """What a command needs to reach a domain of the service."""
        return self._in_domain(domain, self.options)

    def file_options_for(self, domain: str) -> str:
        """What a command needs that works on the service's file only."""
        return self._in_domain(domain, f'--db {quoted(self.file or "FILE")}')

    def _in_domain(self, domain: str, options: str) -> str:
        words = [f'--domain {quoted(domain)}'] if domain != 'genflow' and self.is_live else []
        return ' '.join([*words, *filter(None, [options])])

    def gatherer(self, domain: str) -> Gatherer:
        return Gatherer(self.client, domain, self.options_for(domain), self.clock)

    def gathered(self, view: ExecutionView, domain: str, gatherer: Gatherer | None = None) -> Gathered:
        """An execution with what is known beside its events."""
        if not self.is_live:
            return Gathered(view, Facts(domain=domain), view.updated_at or self.clock())
        return (gatherer or self.gatherer(domain)).gather_view(view)
