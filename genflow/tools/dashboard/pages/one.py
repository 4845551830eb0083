"""The pages about one execution: what it does, its events, what it looks like in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http import HTTPStatus
from itertools import islice
from typing import Any

from attrs import field, frozen
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from genflow.insight import Deadline, Diagnosis, ExecutionView, Operation, attributes_of, utc
from genflow.swf.tasks.collection import COLLECTION
from genflow.testing.histories.exports import written
from genflow.tools.dashboard.data.actions import ACTIONS, Target, Task
from genflow.tools.dashboard.data.runs import LARGE, Run
from genflow.tools.dashboard.events.event_filter import EventFilter
from genflow.tools.dashboard.events.event_rows import GROUP, KINDS, grouped, pretty
from genflow.tools.dashboard.events.regex import PatternError
from genflow.tools.dashboard.pages.lists import domains_of
from genflow.tools.dashboard.pages.operations import axis, rows_of
from genflow.tools.dashboard.pages.signal_forms import forms_of, update_forms_of
from genflow.tools.dashboard.site import NotFound, Site, explained, is_expected, status_of
from genflow.tools.executions.follow import listed
from genflow.tools.pictures.html import html
from genflow.tools.pictures.tree import Picture, picture_of
from genflow.tools.text.printable import printable

__all__ = ['as_html', 'as_json', 'event', 'execution', 'looking_at']

EVENTS = '<!-- events -->'
"""Stands in the template where the events are written, piece by piece."""

MAIN, MAIN_END = '<main id="main" tabindex="-1">', '</main>'
"""Where the content of a page begins, and where it ends."""

PIECE = 10
"""Groups of events that are sent at once."""

DEPTHS = 3
"""Levels of children that may be folded in."""


@frozen
class OpenEvent:
    """The event whose attributes are shown."""

    id: int
    type: str
    at: Any
    text: str


@frozen
class Page:
    """The page of an execution.

    Attributes:
        head: What stands above the events.
        lines: The events.
        tail: What stands below them.
        problem: Why the filter of the address cannot be used; empty where it can.
    """

    head: str
    lines: Iterator[str] = field(repr=False)
    tail: str
    problem: str

    def pieces(self, begun: bool = False) -> Iterator[str]:
        """The page, what is above the events first, so that a browser can show it while it reads on.

        Args:
            begun: Whether all before the content was sent already.
        """
        yield self.head[self.head.index(MAIN) + len(MAIN) :] if begun else self.head
        groups = grouped(self.lines)
        while True:
            with COLLECTION.held():
                piece = ''.join(islice(groups, PIECE))
            if not piece:
                break
            yield piece
        yield self.tail


@contextmanager
def looking_at(site: Site, request: Request) -> Iterator[Run]:
    """The run that a request names; the open or latest one where it names none.

    Raises:
        NotFound: There is none.
    """
    with site.runs.looking_at(*named_run(site, request)) as run:
        yield run


def named_run(site: Site, request: Request) -> tuple[str, str, str]:
    """Domain, workflow id and run id of the run that a request names.

    Raises:
        NotFound: There is none.
    """
    params, domain = request.query_params, site.links(request).domain
    workflow_id = params.get('id', '')
    return domain, workflow_id, params.get('run') or latest_run(site, domain, workflow_id)


def latest_run(site: Site, domain: str, workflow_id: str) -> str:
    """The open run of a workflow id, or the one that started last."""
    if workflow_id:
        for kind in ('open', 'closed'):
            found = listed(site.source.client, domain, kind, executionFilter={'workflowId': workflow_id})
            for info in found:
                if info['execution']['workflowId'] == workflow_id:
                    return str(info['execution']['runId'])
    raise NotFound(f'The domain {domain!r} has no execution with the workflow id {workflow_id!r}.')


def execution(site: Site, request: Request) -> Response:
    """An execution: state and causes, pending work, branches, timeline, events."""
    named = named_run(site, request)
    early = None if site.runs.is_known(*named) else early_text(site, request, *named)
    if early is not None:
        return StreamingResponse(after_reading(site, request, early), media_type='text/html')
    page = whole(site, request)
    status = HTTPStatus.BAD_REQUEST if page.problem else HTTPStatus.OK
    return StreamingResponse(page.pieces(), status, media_type='text/html')


def early_text(site: Site, request: Request, domain: str, workflow_id: str, run_id: str) -> str | None:
    """The top of the page of a long history that has to be read first; ``None`` of one that is read in no time."""
    if not site.source.is_live:
        return None
    client, ids = site.source.client, {'workflowId': workflow_id, 'runId': run_id}
    page = client.get_workflow_execution_history(domain=domain, execution=ids, maximumPageSize=1, reverseOrder=True)
    view = ExecutionView(workflow_id, run_id)
    view.last_event_id = page['events'][0]['eventId']
    if view.last_event_id < LARGE:
        return None
    info = client.describe_workflow_execution(domain=domain, execution=ids)['executionInfo']
    view.name, view.version = info['workflowType']['name'], info['workflowType']['version']
    status = info.get('closeStatus', 'OPEN').lower().replace('_', ' ')
    text = site.text(request, 'reading.html', view=view, status=status, domains=domains_of(site))
    return text[: text.index(MAIN_END)]


def after_reading(site: Site, request: Request, early: str) -> Iterator[str]:
    """The top of a page, and the rest of it once the history has been read."""
    yield early
    try:
        page = whole(site, request)
    except Exception as error:
        if not is_expected(error):
            raise
        text = site.text(request, 'error.html', status=int(status_of(error)), text=explained(error))
        yield text[text.index(MAIN) + len(MAIN) :]
        return
    yield from page.pieces(begun=True)


def whole(site: Site, request: Request) -> Page:
    """The page as far as it is made before its first byte is sent: all but the lines of the events."""
    with COLLECTION.held(), looking_at(site, request) as run:
        diagnosis = run.diagnosis(site.source, site.spec_of(run.view.name, run.view.version))
        filtered = EventFilter.of(request.query_params)
        problem = ''
        try:
            places = filtered.places(run.view, diagnosis.code) if filtered.is_on else None
        except PatternError as error:
            places, problem = [], str(error)
        head, tail = page_text(site, request, run, diagnosis, filtered, places, problem)
        last = run.view.last_event_id
        opened = open_event_html(site, request, run.view)
    chosen = range(last) if places is None else places
    after = int_of(request.query_params.get('after', ''))
    lines = event_lines(site, request, run, [place for place in chosen if place >= after], opened)
    return Page(head, lines, tail, problem)


def event_lines(
    site: Site, request: Request, run: Run, places: list[int], opened: tuple[int, str] | None
) -> Iterator[str]:
    """The lines of the events at some places, with what the address opens below its own."""
    link, number = site.links(request), (opened or (0, ''))[0]
    kept = EventFilter.of(request.query_params).params()
    address = link.execution(run.view.workflow_id or '', run.view.run_id, **kept).removeprefix('/execution')
    lines: list[str] = []
    for place in places:
        if place >= len(lines):
            lines = run.lines(link.zone, escape(f'{address}&event='), place + GROUP * PIECE)
        yield lines[place]
        if opened is not None and place + 1 == number:
            yield opened[1]


def int_of(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0  # noqa: PLR2004 - far beyond any event


def page_text(
    site: Site,
    request: Request,
    run: Run,
    diagnosis: Diagnosis,
    filtered: EventFilter,
    places: list[int] | None,
    problem: str,
) -> tuple[str, str]:
    """What stands above and below the events."""
    view, params = run.view, request.query_params
    depth = min(DEPTHS, int_of(params.get('depth', '')))
    picture = drawn(site, run, diagnosis, depth)
    rows, left_out = rows_of(picture, everything=bool(params.get('ops')))
    text = site.text(
        request,
        'execution.html',
        view=view,
        diagnosis=diagnosis,
        rows=rows,
        left_out=left_out,
        everything=bool(params.get('ops')),
        depth=depth,
        deepest=DEPTHS,
        axis=axis(picture.scale),
        deadlines=[(what_strikes(one), one.at, one.is_certain) for one in view.deadlines()[:20]],
        forms=forms_of(diagnosis),
        updates=update_forms_of(diagnosis),
        filtered=filtered,
        kinds=sorted(KINDS),
        branches=sorted(set(diagnosis.code.made_by.values())) if diagnosis.code else [],
        shown=view.last_event_id if places is None else len(places),
        problem=problem,
        failures=run.failures(),
        actions=[one for one in ACTIONS.values() if one.suits(view.status)],
        task=Task(site.source, run.domain, Target(view.workflow_id or '', view.run_id or ''), {}),
        domains=domains_of(site),
    )
    head, _, tail = text.partition(EVENTS)
    return head, tail


def drawn(site: Site, run: Run, diagnosis: Diagnosis, depth: int) -> Picture:
    """The execution laid out, children folded in as far as somebody wants to see."""

    def child_of(operation: Operation) -> ExecutionView | None:
        last = operation.last
        if last.run_id is None:
            return None
        with site.runs.looking_at(run.domain, last.key, last.run_id) as child:
            return child.view

    return picture_of(run.view, diagnosis.now, depth, child_of) if depth else run.picture(diagnosis.now)


WORDS = {
    'decision': 'Time-out of the decision task',
    'execution': 'Time-out of the execution',
    'fires': '{label} fires',
    'attempt': 'Next attempt of {label}',
}


def what_strikes(deadline: Deadline) -> str:
    """A deadline in words."""
    label = '' if deadline.operation is None else deadline.operation.label
    return WORDS.get(deadline.kind, '{kind} time-out of {label}').format(label=label, kind=deadline.kind)


def open_event_html(site: Site, request: Request, view: ExecutionView) -> tuple[int, str] | None:
    """The event that the address opens, as HTML."""
    number = int_of(request.query_params.get('event', ''))
    if not 1 <= number <= view.last_event_id:
        return None
    return number, site.text(request, 'event.html', event=opened(view, number))


def opened(view: ExecutionView, number: int) -> OpenEvent:
    """An event with all that it says."""
    found = view.events[number - 1]
    at = utc(found['eventTimestamp'])
    return OpenEvent(number, found['eventType'], at, printable(pretty(attributes_of(found))))


def event(site: Site, request: Request) -> Response:
    """One event alone, for script that opens it in its place."""
    with looking_at(site, request) as run:
        found = open_event_html(site, request, run.view)
    if found is None:
        raise NotFound('There is no such event.')
    return HTMLResponse(found[1], HTTPStatus.OK)


def as_json(site: Site, request: Request) -> Response:
    """The history as the AWS command line prints it."""
    with looking_at(site, request) as run:
        view = run.view
        text = written(view.events, view.workflow_id or '', view.run_id or '', indent=2)
    return Response(text, media_type='application/json', headers=attached(view, 'json'))


def as_html(site: Site, request: Request) -> Response:
    """The execution as one file that needs nothing else."""
    with looking_at(site, request) as run:
        view = run.view
        diagnosis = run.diagnosis(site.source, site.spec_of(view.name, view.version))
        text = html(picture_of(view, diagnosis.now), diagnosis)
    return Response(text, media_type='text/html', headers=attached(view, 'html'))


def attached(view: ExecutionView, suffix: str) -> dict[str, str]:
    """Has a browser keep an answer as a file, whose name is made of plain letters."""
    name = re.sub(r'[^A-Za-z0-9._-]', '_', view.title)
    return {'content-disposition': f'attachment; filename="{name[:100]}.{suffix}"'}
