"""The faults of Amazon SWF and of the layer around it: one constructor for each thing that can be said.

The texts follow what callers of the live service have recorded; code, status and namespace come from one table.
"""

from __future__ import annotations

from genflow.local.errors import ServiceError

__all__ = [
    'PLACES',
    'fault',
    'invalid',
    'invalid_token',
    'limit_exceeded',
    'type_text',
    'unknown',
    'unknown_domain',
    'unknown_execution',
    'unknown_task',
    'unknown_type',
]

SWF = 'com.amazonaws.swf.base.model'
VALIDATE = 'com.amazon.coral.validate'
CORAL = 'com.amazon.coral.service'
AVAILABILITY = 'com.amazon.coral.availability'

PLACES = {
    'ValidationException': (VALIDATE, 400),
    'SerializationException': (SWF, 400),
    'ThrottlingException': (AVAILABILITY, 400),
    'UnknownOperationException': (CORAL, 404),
    'AccessDeniedException': (CORAL, 403),
    'MissingAuthenticationTokenException': (CORAL, 403),
    'IncompleteSignatureException': (CORAL, 403),
    'InvalidSignatureException': (CORAL, 403),
    'UnrecognizedClientException': (CORAL, 403),
    'RequestEntityTooLargeException': (CORAL, 413),
    'InternalFailure': (CORAL, 500),
    'ServiceUnavailable': (CORAL, 503),
}
"""Error code -> (namespace of its ``__type``, HTTP status); what is not listed is a modelled fault of SWF."""


def fault(code: str, message: str) -> ServiceError:
    """The error ``code`` with its namespace and status."""
    namespace, status = PLACES.get(code, (SWF, 400))
    return ServiceError(code, message, status, namespace)


def invalid(message: str) -> ServiceError:
    """A request that breaks a rule of the model or between members."""
    return fault('ValidationException', message)


def invalid_token() -> ServiceError:
    """A task or page token that this service did not write, or wrote for something else."""
    return invalid('Invalid token')


def unknown(message: str) -> ServiceError:
    """Something named in the request does not exist, is closed, or is no longer available to this call."""
    return fault('UnknownResourceFault', message)


def unknown_domain(name: str) -> ServiceError:
    """No domain of that name."""
    return unknown(f'Unknown domain: {name}')


def type_text(kind: str, name: str, version: str) -> str:
    """How SWF writes a type; ``kind`` is ``'WorkflowType'`` or ``'ActivityType'``."""
    return f'{kind}=[name={name}, version={version}]'


def unknown_type(kind: str, name: str, version: str) -> ServiceError:
    """No such type in the domain, or it has been deleted."""
    return unknown(f'Unknown type: {type_text(kind, name, version)}')


def unknown_execution(workflow_id: str, run_id: str | None) -> ServiceError:
    """No such execution, or no open one where only an open one will do."""
    if run_id:
        return unknown(f'Unknown execution: WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]')
    return unknown(f'Unknown execution, workflowId = {workflow_id}')


def unknown_task(kind: str, scheduled_id: int) -> ServiceError:
    """The execution is open, the task is not; ``kind`` is ``'decision task'`` or ``'activity'``."""
    return unknown(f'Unknown {kind}, scheduledEventId = {scheduled_id}')


def limit_exceeded(message: str) -> ServiceError:
    """A quota is used up."""
    return fault('LimitExceededFault', message)
