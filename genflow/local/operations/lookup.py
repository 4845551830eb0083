"""Finding what a request names."""

from __future__ import annotations

from typing import Any

from genflow.local.requests import faults
from genflow.local.state.domains import DEPRECATED, Domain, TypeRecord
from genflow.local.state.execution import Execution
from genflow.local.state.state import State

__all__ = ['STRUCTURES', 'domain_of', 'live_domain', 'open_execution', 'type_of']

STRUCTURES = {'activity': ('ActivityType', 'activityType'), 'workflow': ('WorkflowType', 'workflowType')}
"""Kind of type -> SWF's name of its structure, and of the member that holds it."""


def domain_of(state: State, request: dict[str, Any], member: str = 'domain') -> Domain:
    """The domain that the request names.

    Raises:
        ServiceError: UnknownResourceFault.
    """
    found = state.domains.get(request[member])
    if found is None:
        raise faults.unknown_domain(request[member])
    return found


def live_domain(state: State, request: dict[str, Any]) -> Domain:
    """The domain, if new things may be made in it.

    Raises:
        ServiceError: UnknownResourceFault, DomainDeprecatedFault.
    """
    domain = domain_of(state, request)
    if domain.status == DEPRECATED:
        raise faults.fault('DomainDeprecatedFault', domain.name)
    return domain


def type_of(domain: Domain, kind: str, request: dict[str, Any]) -> TypeRecord:
    """The type that the request names.

    Raises:
        ServiceError: UnknownResourceFault.
    """
    structure, member = STRUCTURES[kind]
    name, version = request[member]['name'], request[member]['version']
    found = domain.types[kind].get((name, version))
    if found is None:
        raise faults.unknown_type(structure, name, version)
    return found


def open_execution(state: State, request: dict[str, Any]) -> Execution:
    """The open run that the request means: that of its run id, or whichever is open.

    Raises:
        ServiceError: UnknownResourceFault.
    """
    domain_of(state, request)
    run_id = request.get('runId')
    found = state.running_one(request['domain'], request['workflowId'])
    if found is None or (run_id and found.run_id != run_id):
        raise faults.unknown_execution(request['workflowId'], run_id)
    return found
