"""``genflow types``: lists the types of a domain, and compares them with the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from genflow.core.model.registry import Spec, declared
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.services import client_of, service_options
from genflow.tools.cli.settings import shown_time
from genflow.tools.cli.streams import print_lines
from genflow.tools.cli.tables import aligned, output_option, print_records
from genflow.tools.targets.target import TargetError, module_of, parse

if TYPE_CHECKING:
    from genflow.tools.executions.types import Key, RegisteredType

__all__ = ['command', 'specs_of']

RECORD = ('kind', 'name', 'version', 'status', 'created', 'description', 'code', 'details')


@click.command('types')
@click.argument('target', required=False)
@click.option('--deprecated', is_flag=True, help='List deprecated ones instead of registered ones.')
@output_option
@service_options
def command(
    *, target: str | None, deprecated: bool, output: str, domain: str, endpoint: str | None, db: str | None
) -> None:
    """List the types of a domain. With TARGET, a file or module, compare them with the classes that it loads.

    The column CODE is then `same`, `differs` (the lines below the table name the defaults) or `not registered`. It
    is empty if TARGET has no class for a type.
    """
    from genflow.tools.executions.types import RegisteredType, registered_types, verdicts

    specs = specs_of(target)
    with client_of(endpoint, db, domain=domain) as client:
        types = registered_types(client, domain, deprecated=deprecated)
        known = verdicts(client, domain, specs, [one.key for one in types])
    keys = {one.key for one in types}
    types += [RegisteredType(*key, '-') for key in known if key not in keys and not deprecated]
    if output != 'table':
        print_records((_record(one, known) for one in types), output, RECORD)
    elif types:
        print_lines(_table(types, known, with_code=target is not None))


def specs_of(target: str | None) -> list[Spec]:
    """The types of the classes that a target loads; none without one.

    Raises:
        Refused: It cannot be imported.
    """
    if target is None:
        return []
    try:
        module_of(parse(target))
    except TargetError as error:
        raise Refused(str(error)) from error
    return list(declared())


def _table(types: list[RegisteredType], known: Mapping[Key, tuple[str, str]], *, with_code: bool) -> list[str]:
    header = ['KIND', 'NAME', 'VERSION', 'STATUS', 'REGISTERED', *['CODE'] * with_code]
    rows = [
        [one.kind, one.name, one.version, one.status, _time(one), *[known.get(one.key, ('',))[0]] * with_code]
        for one in types
    ]
    notes = [f'{" ".join(key)}: {details}' for key, (_, details) in known.items() if details]
    return [*aligned(header, rows, ['REGISTERED']), *([''] if notes else []), *notes]


def _time(one: RegisteredType) -> str:
    return '-' if one.created is None else shown_time(one.created)


def _record(one: RegisteredType, known: Mapping[Key, tuple[str, str]]) -> dict[str, Any]:
    code, details = known.get(one.key, (None, None))
    created = None if one.created is None else one.created.isoformat()
    values = (one.kind, one.name, one.version, one.status, created, one.description, code, details)
    return dict(zip(RECORD, values, strict=True))
