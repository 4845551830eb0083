"""The pages about a whole domain: executions, their ids as text, workers, types."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from attrs import frozen
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from genflow.core.model.registry import ActivitySpec, declared
from genflow.insight import Finding
from genflow.swf.aws import faults
from genflow.swf.aws.pagination import pages
from genflow.tools.dashboard.data.actions import BULK
from genflow.tools.dashboard.data.executions import COLUMNS, STATUSES, Listing, Query, Row, listing_of
from genflow.tools.dashboard.data.folder import FolderClient
from genflow.tools.dashboard.data.workers import task_lists
from genflow.tools.dashboard.site import Site, explained, is_expected

__all__ = ['domains_of', 'executions', 'export_ids', 'listing_for', 'types', 'workers']

SORTED_BY_CAUSE = 1.5
"""Seconds for finding causes where the page is sorted by them."""


def executions(site: Site, request: Request) -> Response:
    """The executions of a domain."""
    link = site.links(request)
    query = Query.of(request.query_params)
    problem = ''
    try:
        listing = listing_for(site, request, query)
    except ValueError as error:
        problem, listing = str(error), Listing(query, (), {}, 0, 1)
    rows = [row for _, row in listing.rows]
    site.causes.find(link.domain, rows)
    return site.render(
        request,
        'executions.html',
        HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
        listing=listing,
        asked=query,
        typed=dict(request.query_params),
        problem=problem,
        columns=COLUMNS,
        statuses=STATUSES,
        actions=BULK,
        is_whole=site.index(link.domain).is_whole,
        causes={row.key: (site.causes.known(row), site.causes.was_found(row)) for row in rows},
        domains=domains_of(site),
        unreadable=site.source.client.unreadable if isinstance(site.source.client, FolderClient) else {},
    )


def domains_of(site: Site) -> list[str]:
    """The domains to choose from; only the one to begin with where nobody may list them."""
    with contextlib.suppress(Exception):
        return site.source.domains()
    return [site.source.domain]


def listing_for(site: Site, request: Request, query: Query) -> Listing:
    """The page of a query.

    Raises:
        ValueError: A moment of the query is none.
    """
    link = site.links(request)
    rows = site.index(link.domain).rows()
    if query.column == 'cause':
        site.causes.find(link.domain, rows, SORTED_BY_CAUSE)
    return listing_of(rows, query, link.zone, lambda row: cause_key(site, row))


def cause_key(site: Site, row: Row) -> str:
    """What causes are sorted by: their code; those without one come last."""
    finding: Finding | None = site.causes.known(row)
    return '~' if finding is None else finding.code


def export_ids(site: Site, request: Request) -> Response:
    """The ids of a search, a line each: workflow id and run id."""
    listing = listing_for(site, request, Query.of(request.query_params))
    text = ''.join(f'{row.workflow_id}\t{row.run_id}\n' for row in listing.matching)
    headers = {'content-disposition': 'attachment; filename="executions.txt"'}
    return PlainTextResponse(text.encode('utf-8', 'replace'), headers=headers)


def workers(site: Site, request: Request) -> Response:
    """Task lists, who takes tasks from them, and what they last did."""
    gatherer = site.source.gatherer(site.links(request).domain)
    return site.render(request, 'workers.html', lists=task_lists(gatherer), domains=domains_of(site))


@frozen
class TypeRow:
    """A registered type.

    Attributes:
        in_target: Whether the target has it; ``None`` without a target.
    """

    kind: str
    name: str
    version: str
    status: str
    created: Any
    description: str
    in_target: bool | None


def types(site: Site, request: Request) -> Response:
    """The types of the domain, with those of the target that are not registered."""
    found: list[TypeRow] = []
    problems: list[str] = []
    for kind in ('workflow', 'activity') if site.source.is_live else ():
        try:
            found += types_of(site, site.links(request).domain, kind)
        except Exception as error:
            if not is_expected(error) or faults.is_transient(error):
                raise
            problems.append(explained(error))
    found.sort(key=lambda row: (row.kind, row.name, row.version))
    return site.render(request, 'types.html', types=found, problems=problems, domains=domains_of(site))


def types_of(site: Site, domain: str, kind: str) -> Iterator[TypeRow]:
    """The types of one kind."""
    known = {(spec.name, spec.version) for spec in declared() if isinstance(spec, ActivitySpec) == (kind == 'activity')}
    seen = set()
    for status in ('REGISTERED', 'DEPRECATED'):
        method = getattr(site.source.client, f'list_{kind}_types')
        for page in pages(method, domain=domain, registrationStatus=status):
            for info in page['typeInfos']:
                name, version = info[f'{kind}Type']['name'], info[f'{kind}Type']['version']
                seen.add((name, version))
                in_target = (name, version) in known if site.has_target else None
                description = info.get('description') or ''
                yield TypeRow(kind, name, version, status.lower(), info['creationDate'], description, in_target)
    if site.has_target:
        for name, version in sorted(known - seen):
            yield TypeRow(kind, name, version, 'not registered', None, '', in_target=True)
