"""``genflow domain``: registers and lists domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from genflow.swf.aws import faults
from genflow.swf.aws.connections import connect
from genflow.swf.aws.pagination import pages
from genflow.swf.aws.registration import RETENTION_DAYS
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.services import client_of, layer1_options, opened, refusing
from genflow.tools.cli.streams import note, print_lines

__all__ = ['command']

MAX_DAYS = 90  # the longest that SWF keeps closed executions (API reference of RegisterDomain)


@click.group('domain')
def command() -> None:
    """Register and list domains. Register a domain once, before the first worker or execution."""


@command.command('register')
@click.argument('name')
@click.option(
    '--retention-days',
    'days',
    default=RETENTION_DAYS,
    show_default=True,
    type=click.IntRange(0, MAX_DAYS),
    help='Days that closed executions are kept.',
)
@click.option('--description', help='A description, shown when domains are listed.')
@layer1_options
def register(*, name: str, days: int, description: str | None, endpoint: str | None, db: str | None) -> None:
    """Register the domain NAME. A domain that exists already is not changed."""
    request: dict[str, Any] = {'name': name, 'workflowExecutionRetentionPeriodInDays': str(days)}
    if description is not None:
        request['description'] = description
    with opened(endpoint, db) as layer1, refusing(domain=name):
        client = connect(layer1).client
        try:
            client.register_domain(**request)
        except Exception as error:
            if faults.code_of(error) != 'DomainAlreadyExistsFault':
                raise
            _say_what_is_there(client, name)


def _say_what_is_there(client: Any, name: str) -> None:
    found = client.describe_domain(name=name)
    if found['domainInfo']['status'] != 'REGISTERED':
        raise Refused(
            f'the domain {name!r} is deprecated: nothing new starts in it. `aws swf undeprecate-domain --name {name}` '
            'undeprecates it.'
        )
    days = found['configuration']['workflowExecutionRetentionPeriodInDays']
    note(f'genflow: the domain {name} is registered already, and keeps closed executions for {days} days')


@command.command('list')
@click.option('--deprecated', is_flag=True, help='List deprecated ones instead of registered ones.')
@layer1_options
def list_domains(*, deprecated: bool, endpoint: str | None, db: str | None) -> None:
    """List domains, by name."""
    with client_of(endpoint, db) as client:
        listed = pages(client.list_domains, registrationStatus='DEPRECATED' if deprecated else 'REGISTERED')
        print_lines(_listed_line(info) for page in listed for info in page['domainInfos'])


def _listed_line(info: Mapping[str, str]) -> str:
    return f'{info["name"]} {info["description"]}' if info.get('description') else info['name']
