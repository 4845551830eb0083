"""Domains, types and tags."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from genflow.local.operations.lookup import STRUCTURES, domain_of, live_domain, type_of
from genflow.local.operations.paging import page_of
from genflow.local.requests import faults
from genflow.local.state.domains import DEPRECATED, REGISTERED, Domain, TypeRecord
from genflow.local.state.state import State

__all__ = ['CALLS', 'type_text']

_NOT_DEFAULTS = frozenset({'domain', 'name', 'version', 'description'})
"""What names and describes a type in a Register… request; the rest are its defaults."""

Call = Callable[[State, dict[str, Any], int], dict[str, Any] | None]


# Domains.


def register_domain(state: State, request: dict[str, Any], now: int) -> None:
    name = request['name']
    if name in state.domains:
        raise faults.fault('DomainAlreadyExistsFault', name)
    if len(state.domains) >= state.limits.domains:
        raise faults.limit_exceeded(f'An account can have {state.limits.domains} domains, deprecated ones included')
    domain = Domain(
        name=name,
        description=request.get('description'),
        retention=request['workflowExecutionRetentionPeriodInDays'],
    )
    put_tags(state, domain, request.get('tags', []))
    state.domains[name] = domain
    state.batch.domains[name] = domain


def describe_domain(state: State, request: dict[str, Any], now: int) -> dict[str, Any]:
    domain = domain_of(state, request, 'name')
    configuration = {'workflowExecutionRetentionPeriodInDays': domain.retention}
    return {'domainInfo': domain_info(state, domain), 'configuration': configuration}


def domain_info(state: State, domain: Domain) -> dict[str, Any]:
    described = {} if domain.description is None else {'description': domain.description}
    return {'name': domain.name, 'status': domain.status, **described, 'arn': state.arn_prefix + domain.name}


def list_domains(state: State, request: dict[str, Any], now: int) -> dict[str, Any]:
    status = request['registrationStatus']
    names = sorted(name for name, domain in state.domains.items() if domain.status == status)
    page = page_of(state, request, now, [[name] for name in names], f'ListDomains {status}')
    return page.answer('domainInfos', [domain_info(state, state.domains[name]) for (name,) in page.items])


def deprecate_domain(state: State, request: dict[str, Any], now: int) -> None:
    """No new executions and types; all its types are deprecated with it."""
    domain = domain_of(state, request, 'name')
    if domain.status == DEPRECATED:
        raise faults.fault('DomainDeprecatedFault', domain.name)
    domain.status = DEPRECATED
    state.batch.domains[domain.name] = domain
    for records in domain.types.values():
        for record in records.values():
            if record.deprecated is None:
                record.deprecated = now
                save_type(state, domain, record)


def undeprecate_domain(state: State, request: dict[str, Any], now: int) -> None:
    """The domain is registered again; its types stay deprecated, each has an operation of its own."""
    domain = domain_of(state, request, 'name')
    if domain.status == REGISTERED:
        raise faults.fault('DomainAlreadyExistsFault', domain.name)
    domain.status = REGISTERED
    state.batch.domains[domain.name] = domain


# Tags of domains.


def domain_of_arn(state: State, arn: str) -> Domain:
    name = arn[len(state.arn_prefix) :] if arn.startswith(state.arn_prefix) else None
    if name not in state.domains:
        raise faults.unknown(f'Unknown resource: {arn}')
    return state.domains[name]


def put_tags(state: State, domain: Domain, tags: list[dict[str, Any]]) -> None:
    """Add tags, over those of the same key."""
    merged = {**domain.tags, **{tag['key']: tag.get('value') for tag in tags}}
    if len(merged) > state.limits.resource_tags:
        raise faults.fault('TooManyTagsFault', f'A domain can have {state.limits.resource_tags} tags')
    domain.tags = merged


def tag_resource(state: State, request: dict[str, Any], now: int) -> None:
    domain = domain_of_arn(state, request['resourceArn'])
    put_tags(state, domain, request['tags'])
    state.batch.domains[domain.name] = domain


def untag_resource(state: State, request: dict[str, Any], now: int) -> None:
    domain = domain_of_arn(state, request['resourceArn'])
    domain.tags = {key: value for key, value in domain.tags.items() if key not in request['tagKeys']}
    state.batch.domains[domain.name] = domain


def list_tags_for_resource(state: State, request: dict[str, Any], now: int) -> dict[str, Any]:
    tags = domain_of_arn(state, request['resourceArn']).tags
    return {'tags': [{'key': key} if value is None else {'key': key, 'value': value} for key, value in tags.items()]}


# Types; ``kind`` is bound in the table below.


def save_type(state: State, domain: Domain, record: TypeRecord) -> None:
    state.batch.types[domain.name, record.kind, record.name, record.version] = record


def type_text(record: TypeRecord) -> str:
    return faults.type_text(STRUCTURES[record.kind][0], record.name, record.version)


def register_type(state: State, request: dict[str, Any], now: int, *, kind: str) -> None:
    domain = live_domain(state, request)
    name, version = request['name'], request['version']
    known = domain.types[kind].get((name, version))
    if known:
        raise faults.fault('TypeAlreadyExistsFault', type_text(known))
    if len(domain.types[kind]) >= state.limits.types:
        raise faults.limit_exceeded(f'A domain can have {state.limits.types} {kind} types, deprecated ones included')
    defaults = {member: value for member, value in request.items() if member not in _NOT_DEFAULTS and value != ''}
    if 'defaultTaskList' in defaults:
        defaults['defaultTaskList'] = {'name': defaults['defaultTaskList']['name']}
    record = TypeRecord(
        kind=kind,
        name=name,
        version=version,
        description=request.get('description'),
        defaults=defaults,
        created=now,
    )
    domain.types[kind][name, version] = record
    save_type(state, domain, record)


def describe_type(state: State, request: dict[str, Any], now: int, *, kind: str) -> dict[str, Any]:
    record = type_of(domain_of(state, request), kind, request)
    defaults = {name: dict(value) if isinstance(value, dict) else value for name, value in record.defaults.items()}
    return {'typeInfo': record.info(), 'configuration': defaults}


def list_types(state: State, request: dict[str, Any], now: int, *, kind: str) -> dict[str, Any]:
    domain = domain_of(state, request)
    status, name = request['registrationStatus'], request.get('name')
    found = sorted(
        [record.name, record.version]
        for record in domain.types[kind].values()
        if record.status == status and (not name or record.name == name)
    )
    page = page_of(state, request, now, found, f'List {kind} {domain.name} {status} {name}')
    return page.answer('typeInfos', [domain.types[kind][name, version].info() for name, version in page.items])


def deprecate_type(state: State, request: dict[str, Any], now: int, *, kind: str) -> None:
    domain = domain_of(state, request)
    record = type_of(domain, kind, request)
    if record.deprecated is not None:
        raise faults.fault('TypeDeprecatedFault', type_text(record))
    record.deprecated = now
    save_type(state, domain, record)


def undeprecate_type(state: State, request: dict[str, Any], now: int, *, kind: str) -> None:
    domain = domain_of(state, request)
    record = type_of(domain, kind, request)
    if record.deprecated is None:
        raise faults.fault('TypeAlreadyExistsFault', type_text(record))
    record.deprecated = None
    save_type(state, domain, record)


def delete_type(state: State, request: dict[str, Any], now: int, *, kind: str) -> None:
    """Forget a deprecated type; its name and version may then be registered again."""
    domain = domain_of(state, request)
    record = type_of(domain, kind, request)
    if record.deprecated is None:
        message = 'The type is currently registered and cannot be deleted in its current state'
        raise faults.fault('TypeNotDeprecatedFault', message)
    del domain.types[kind][record.name, record.version]
    state.batch.types[domain.name, kind, record.name, record.version] = None


def _of_types(kind: str) -> dict[str, Call]:
    noun = STRUCTURES[kind][0]
    return {
        f'Register{noun}': partial(register_type, kind=kind),
        f'Describe{noun}': partial(describe_type, kind=kind),
        f'List{noun}s': partial(list_types, kind=kind),
        f'Deprecate{noun}': partial(deprecate_type, kind=kind),
        f'Undeprecate{noun}': partial(undeprecate_type, kind=kind),
        f'Delete{noun}': partial(delete_type, kind=kind),
    }


CALLS: dict[str, Call] = {
    'RegisterDomain': register_domain,
    'DescribeDomain': describe_domain,
    'ListDomains': list_domains,
    'DeprecateDomain': deprecate_domain,
    'UndeprecateDomain': undeprecate_domain,
    'TagResource': tag_resource,
    'UntagResource': untag_resource,
    'ListTagsForResource': list_tags_for_resource,
    **_of_types('activity'),
    **_of_types('workflow'),
}
