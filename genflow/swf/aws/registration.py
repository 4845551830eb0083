"""Registers types with SWF; several workers may do so at the same time.

SWF never changes the defaults of a registered type. If a class has changed since, the registered defaults apply, and
the difference is logged with the remedy: register another version.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from genflow.core.errors import RegistrationError
from genflow.core.model.registry import ActivitySpec, Registry, Spec, WorkflowSpec
from genflow.swf.aws import error_hints, faults
from genflow.swf.aws.client import RetryingClient
from genflow.swf.wire.decisions import seconds_text

__all__ = ['RETENTION_DAYS', 'declare_types', 'differences', 'register', 'register_domain']

log = logging.getLogger('genflow.worker')

RETENTION_DAYS = 30
"""How long a domain made by :func:`register_domain` keeps closed executions, in days; SWF allows 90."""


def register_domain(service: RetryingClient, domain: str, *, days: int = RETENTION_DAYS) -> None:
    """Registers a domain; one that exists is left as it is."""
    try:
        service.call('register_domain', name=domain, workflowExecutionRetentionPeriodInDays=str(days))
    except Exception as error:
        if faults.code_of(error) != 'DomainAlreadyExistsFault':
            raise


def register(service: RetryingClient, domain: str, specs: Iterable[Spec]) -> None:
    """Registers types; a type that is registered already is compared with the class.

    Raises:
        RegistrationError: The domain does not exist or is deprecated, or SWF refuses a type.
    """
    for spec in specs:
        _register(service, domain, spec)


def declare_types(client: Any, registry: Registry) -> None:
    """Announces the types of this process to the embedded service. Amazon SWF has no such call."""
    declare = getattr(client, 'declare_types', None)
    if declare is not None:
        workflows = [(spec.name, spec.version) for spec in registry.workflows]
        declare(workflows=workflows, activities=[(spec.name, spec.version) for spec in registry.activities])


def _register(service: RetryingClient, domain: str, spec: Spec) -> None:
    defaults = _defaults(spec)
    kind = _kind(spec)
    request = {'domain': domain, 'name': spec.name, 'version': spec.version, **defaults}
    if spec.description:
        request['description'] = spec.description
    try:
        service.call(f'register_{kind}_type', **request)
    except Exception as error:
        if faults.code_of(error) == 'TypeAlreadyExistsFault':
            _compare(service, domain, spec)
        elif faults.code_of(error) is not None or faults.is_unsupported(error):
            reason = error_hints.explained(error, domain=domain)
            raise RegistrationError(f'the {kind} type {spec.name!r} version {spec.version!r}: {reason}') from error
        else:
            raise


def _compare(service: RetryingClient, domain: str, spec: Spec) -> None:
    kind = _kind(spec)
    request: dict[str, Any] = {'domain': domain, f'{kind}Type': {'name': spec.name, 'version': spec.version}}
    answer = service.call(f'describe_{kind}_type', **request)
    if answer['typeInfo']['status'] == 'DEPRECATED':
        log.warning('%s type %s %s is deprecated: SWF schedules no new ones', kind, spec.name, spec.version)
    different = differences(spec, answer.get('configuration', {}))
    if different:
        log.warning(
            '%s type %s %s is registered with other defaults, which apply until you register another version: %s',
            kind,
            spec.name,
            spec.version,
            '; '.join(different),
        )


def differences(spec: Spec, there: Mapping[str, Any]) -> list[str]:
    """The differences between the defaults of a class and those of its registered type, as text.

    Args:
        spec: Of the class.
        there: The type's ``configuration``, as SWF describes it.
    """
    defaults = _defaults(spec)
    return [
        f'{name} is {_shown(there.get(name))}, the class says {_shown(defaults.get(name))}'
        for name in sorted({*there, *defaults})
        if there.get(name) != defaults.get(name)
    ]


def _shown(value: Any) -> str:
    return 'not set' if value is None else value['name'] if isinstance(value, Mapping) else str(value)


def _kind(spec: Spec) -> str:
    return 'workflow' if isinstance(spec, WorkflowSpec) else 'activity'


def _defaults(spec: Spec) -> dict[str, Any]:
    """The defaults of a type in SWF's form, without those that are not set."""
    found = _workflow_defaults(spec) if isinstance(spec, WorkflowSpec) else _activity_defaults(spec)
    if spec.task_list is not None:
        found['defaultTaskList'] = {'name': spec.task_list}
    if spec.priority is not None:
        found['defaultTaskPriority'] = str(spec.priority)
    return {name: value for name, value in found.items() if value is not None}


def _workflow_defaults(spec: WorkflowSpec) -> dict[str, Any]:
    return {
        'defaultExecutionStartToCloseTimeout': seconds_text(spec.workflow_duration),
        'defaultTaskStartToCloseTimeout': seconds_text(spec.decision_duration),
        'defaultChildPolicy': spec.child_policy,
        'defaultLambdaRole': spec.lambda_role,
    }


def _activity_defaults(spec: ActivitySpec) -> dict[str, Any]:
    return {
        'defaultTaskHeartbeatTimeout': seconds_text(spec.heartbeat),
        'defaultTaskScheduleToCloseTimeout': seconds_text(spec.schedule_to_close),
        'defaultTaskScheduleToStartTimeout': seconds_text(spec.schedule_to_start),
        'defaultTaskStartToCloseTimeout': seconds_text(spec.start_to_close),
    }
