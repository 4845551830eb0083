"""SWF's causes for refusing what a decision asked for: which mean "later", and what to do about the others."""

from __future__ import annotations

__all__ = ['WAYS_OUT', 'is_backpressure']

WAYS_OUT = {
    'ACTIVITY_TYPE_DOES_NOT_EXIST': 'no worker has registered this type: import or scan the module that has its class',
    'WORKFLOW_TYPE_DOES_NOT_EXIST': 'no worker has registered this type: import or scan the module that has its class',
    'WORKFLOW_ALREADY_RUNNING': 'an execution with this workflow id is open: give the child another one',
}
"""What to do about some of the causes for which SWF refuses a call."""


def is_backpressure(cause: str) -> bool:
    """Whether a cause says "not now" rather than "never": a rate, or a limit on open work."""
    return cause.endswith(('_RATE_EXCEEDED', '_LIMIT_EXCEEDED'))
