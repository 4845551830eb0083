"""``genflow list`` and ``genflow count``: the executions of a domain, chosen and ordered, for people and programs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import wraps
from itertools import islice
from typing import Any

import click

from genflow.insight import elapsed
from genflow.tools.cli.completing import complete_types
from genflow.tools.cli.parameters import MOMENT
from genflow.tools.cli.services import client_of, read_only_option, service_options
from genflow.tools.cli.settings import shown_time
from genflow.tools.cli.streams import note, print_lines
from genflow.tools.cli.tables import aligned, output_option, print_records
from genflow.tools.executions.listing import STATUSES, Wanted, counted, found, status_of

__all__ = ['count', 'list_executions', 'selection_options']

Info = Mapping[str, Any]

ROWS = 100
"""Rows of a table without --limit."""

GROUPS = {'open': {'open'}, 'closed': set(STATUSES) - {'open'}} | {status: {status} for status in STATUSES}
"""The values of ``--status``, with the states that each selects."""

STATES_HELP = f'Its state, one of {", ".join(GROUPS)}; may be repeated.'


def selection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that select executions to a command, as one argument ``wanted``."""

    @wraps(function)
    def command(
        *args: Any,
        statuses: tuple[str, ...],
        only_open: bool,
        only_closed: bool,
        type_name: str | None,
        version: str | None,
        id_prefix: str,
        tag: str | None,
        since: datetime | None,
        until: datetime | None,
        **rest: Any,
    ) -> Any:
        words = [*statuses, *['open'] * only_open, *['closed'] * only_closed]
        chosen = frozenset().union(*(GROUPS[word] for word in words)) if words else frozenset(STATUSES)
        wanted = Wanted(chosen, type_name, version, id_prefix, tag, since, until)
        return function(*args, wanted=wanted, **rest)

    for option in reversed(SELECTION):
        command = option(command)
    return command


SELECTION = (
    click.option(
        '--status', 'statuses', multiple=True, type=click.Choice(list(GROUPS)), metavar='STATE', help=STATES_HELP
    ),
    click.option('--open', 'only_open', is_flag=True, help='As --status open.'),
    click.option('--closed', 'only_closed', is_flag=True, help='As --status closed.'),
    click.option(
        '--type',
        'type_name',
        shell_complete=complete_types,
        help='Only executions of the workflow type with this name.',
    ),
    click.option('--version', help='Only executions of the workflow type with this version.'),
    click.option('--id-prefix', default='', help='Only executions whose workflow id begins with this.'),
    click.option('--tag', help='Only executions with this tag.'),
    click.option('--since', type=MOMENT, help='Only executions started since then: 2h (ago), 7d, or ISO 8601.'),
    click.option('--until', type=MOMENT, help='Only executions started by then.'),
)


# columns


def _type(info: Info) -> str:
    return f'{info["workflowType"]["name"]} {info["workflowType"]["version"]}'


def _duration(info: Info) -> timedelta:
    end: datetime = info.get('closeTimestamp') or datetime.now(timezone.utc)
    length: timedelta = end - info['startTimestamp']
    return length


COLUMNS: dict[str, Callable[[Info], Any]] = {
    'started': lambda info: info['startTimestamp'],
    'closed': lambda info: info.get('closeTimestamp') or datetime.max.replace(tzinfo=timezone.utc),
    'status': status_of,
    'type': _type,
    'id': lambda info: info['execution']['workflowId'],
    'run': lambda info: info['execution']['runId'],
    'duration': _duration,
    'tags': lambda info: info.get('tagList', []),
}
"""The sort keys of executions."""

HEADER = ('STARTED', 'DURATION', 'STATUS', 'TYPE', 'ID', 'TAGS', 'RUN')


@click.command('list')
@selection_options
@click.option('--sort', type=click.Choice(list(COLUMNS)), default='started', show_default=True, help='By which column.')
@click.option('--reverse', '-r', is_flag=True, help='Reverse the order. Times are sorted latest first by default.')
@click.option('--limit', type=click.IntRange(1), help=f'The most executions to list. Default: {ROWS} in a table.')
@output_option
@read_only_option
@service_options
def list_executions(
    *,
    wanted: Wanted,
    sort: str,
    reverse: bool,
    limit: int | None,
    output: str,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """List executions, the latest first, children under their parents.

    Times are UTC unless --time local says otherwise. -o json, jsonl and csv have every member and no limit.
    """
    most = limit or (ROWS if output == 'table' else None)
    with client_of(endpoint, db, domain=domain) as client:
        infos = _ordered(found(client, domain, wanted), sort, most, reverse=reverse)
    if most is not None and len(infos) > most:
        del infos[most:]
        note(f'genflow: only the first {most} are listed; use --limit N to list more')
    if not infos:
        note(f'genflow: the domain {domain!r} has no execution that fits')
    if output == 'table':
        print_lines(_table(infos))
    else:
        print_records(map(_record, infos), output, RECORD)


def _ordered(infos: Iterable[Info], sort: str, most: int | None, *, reverse: bool) -> list[Info]:
    """Executions in their order; of a long list in SWF's own order, only what is shown is read, and one more."""
    if sort == 'started' and not reverse:
        return list(islice(infos, None if most is None else most + 1))
    latest_first = sort in ('started', 'closed', 'duration')
    return sorted(infos, key=COLUMNS[sort], reverse=latest_first != reverse)


def _table(infos: list[Info]) -> list[str]:
    rows = [_row(info, depth) for info, depth in _folded(infos)]
    header = HEADER if any(info.get('tagList') for info in infos) else [name for name in HEADER if name != 'TAGS']
    cells = [[row[name] for name in header] for row in rows]
    return (
        aligned(header, cells, [name for name in ('RUN', 'TAGS', 'DURATION', 'STARTED', 'TYPE') if name in header])
        if rows
        else []
    )


def _row(info: Info, depth: int) -> dict[str, str]:
    return {
        'STARTED': shown_time(info['startTimestamp']),
        'DURATION': elapsed(_duration(info)),
        'STATUS': status_of(info) + (' (canceling)' if _is_canceling(info) else ''),
        'TYPE': _type(info),
        'ID': '  ' * (depth - 1) + '└ ' * bool(depth) + info['execution']['workflowId'],
        'TAGS': ' '.join(info.get('tagList', ())),
        'RUN': info['execution']['runId'],
    }


def _is_canceling(info: Info) -> bool:
    return bool(info.get('cancelRequested')) and info['executionStatus'] == 'OPEN'


def _folded(infos: list[Info]) -> Iterator[tuple[Info, int]]:
    """The executions with their depth: each below its parent, where that is among them."""
    runs = {info['execution']['runId'] for info in infos}
    children: dict[str | None, list[Info]] = defaultdict(list)
    for info in infos:
        parent = info.get('parent', {}).get('runId')
        children[parent if parent in runs else None].append(info)
    stack = [(info, 0) for info in reversed(children[None])]
    while stack:
        info, depth = stack.pop()
        yield info, depth
        stack += [(child, depth + 1) for child in reversed(children.get(info['execution']['runId'], ()))]


RECORD = (
    'workflowId',
    'runId',
    'name',
    'version',
    'status',
    'started',
    'closed',
    'tags',
    'cancelRequested',
    'parentWorkflowId',
    'parentRunId',
)
"""The members of an execution for programs."""


def _record(info: Info) -> dict[str, Any]:
    closed, parent = info.get('closeTimestamp'), info.get('parent', {})
    values = (
        info['execution']['workflowId'],
        info['execution']['runId'],
        info['workflowType']['name'],
        info['workflowType']['version'],
        status_of(info),
        info['startTimestamp'].astimezone(timezone.utc).isoformat(),
        None if closed is None else closed.astimezone(timezone.utc).isoformat(),
        list(info.get('tagList', ())),
        bool(info.get('cancelRequested')),
        parent.get('workflowId'),
        parent.get('runId'),
    )
    return dict(zip(RECORD, values, strict=True))


@click.command('count')
@selection_options
@click.option('--by', type=click.Choice(['status', 'type']), help='Count each state or each type separately.')
@read_only_option
@service_options
def count(*, wanted: Wanted, by: str | None, domain: str, endpoint: str | None, db: str | None) -> None:
    """Count executions, chosen by the options that `genflow list` takes."""
    with client_of(endpoint, db, domain=domain) as client:
        if by is not None:
            groups = Counter(map(COLUMNS[by], found(client, domain, wanted)))
            print_lines(f'{number:>7}  {name}' for name, number in groups.most_common())
            return
        number, is_cut = counted(client, domain, wanted)
    print_lines([str(number)])
    if is_cut:
        note('genflow: there may be more: SWF stopped counting')
