"""Shell completion of workflow ids, types and domains, which are read from the service.

If anything fails, nothing is completed and nothing is printed, since a user is in the middle of typing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import click

from genflow.tools.cli.settings import COMPLETIONS, Settings, Source, gathered_settings
from genflow.tools.run.defaults import DOMAIN

__all__ = ['complete_domains', 'complete_ids', 'complete_types', 'complete_versions']

MOST = 50
"""The most proposals."""

LOOKED_AT = 1000
"""The most executions that are read for ids."""


def _completing(
    found: Callable[[Any, str, click.Context], Iterator[str]],
) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """A completion for click, made of a function of the client, the domain and what has been typed so far."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        with suppress(Exception):  # as the head of this module says
            from genflow.tools.cli.services import client_of

            settings = _settings(ctx)
            domain = settings.value('domain') or DOMAIN
            with client_of(settings.value('endpoint'), settings.value('db')) as client:
                names = (name for name in found(client, domain, ctx) if name.startswith(incomplete))
                return list(islice(dict.fromkeys(names), MOST))
        return []

    return complete


def _settings(ctx: click.Context) -> Settings:
    """The settings of the command line that is being typed; no callback of it has run."""
    settings = gathered_settings()
    contexts = [ctx]
    while contexts[-1].parent is not None:
        contexts.append(contexts[-1].parent)
    for context in reversed(contexts):
        given = {name: context.params[name] for name in ('domain', 'db', 'endpoint') if context.params.get(name)}
        settings = settings.over(Source(lambda name: f'--{name}', given))
    return settings


@_completing
def complete_ids(client: Any, domain: str, ctx: click.Context) -> Iterator[str]:
    """The ids of the executions that started last."""
    from genflow.tools.executions.listing import Wanted, found

    return (info['execution']['workflowId'] for info in islice(found(client, domain, Wanted()), LOOKED_AT))


@_completing
def complete_types(client: Any, domain: str, ctx: click.Context) -> Iterator[str]:
    """The names of the workflow types."""
    return (name for name, _ in _workflow_types(client, domain))


@_completing
def complete_versions(client: Any, domain: str, ctx: click.Context) -> Iterator[str]:
    """The versions of the workflow type whose name has been typed."""
    return (version for name, version in _workflow_types(client, domain) if name == ctx.params.get('name'))


@_completing
def complete_domains(client: Any, domain: str, ctx: click.Context) -> Iterator[str]:
    from genflow.swf.aws.pagination import pages

    listed = pages(client.list_domains, registrationStatus='REGISTERED')
    return (info['name'] for page in listed for info in page['domainInfos'])


def _workflow_types(client: Any, domain: str) -> Iterator[tuple[str, str]]:
    from genflow.tools.executions.types import registered_types

    return ((one.name, one.version) for one in registered_types(client, domain) if one.kind == 'workflow')


COMPLETIONS['domain'] = complete_domains
