"""Which decisions may stand together in one response.

A batch that breaks these rules is refused whole, before anything is recorded, and its task stays open.
"""

from __future__ import annotations

from typing import Any, Final

from genflow.local.requests import faults

__all__ = ['CLOSE_DECISIONS', 'INCOMPATIBLE_WITH_CLOSE', 'check_batch', 'close_comes_last']

CLOSE_DECISIONS: Final = frozenset(
    {
        'CompleteWorkflowExecution',
        'FailWorkflowExecution',
        'CancelWorkflowExecution',
        'ContinueAsNewWorkflowExecution',
    }
)

INCOMPATIBLE_WITH_CLOSE: Final = frozenset({'ScheduleActivityTask', 'StartTimer'})
"""What cannot share a batch with a close; every other decision can."""


def close_comes_last(decisions: list[dict[str, Any]]) -> None:
    """Refuse a close that is not the last decision.

    Raises:
        ServiceError: ValidationException.
    """
    if any(decision.get('decisionType') in CLOSE_DECISIONS for decision in decisions[:-1]):
        raise faults.invalid('Close must be last decision in list')


def close_stands_with_its_like(decisions: list[dict[str, Any]]) -> None:
    """Refuse new activities and timers next to a close.

    Raises:
        ServiceError: ValidationException.
    """
    types = {decision['decisionType'] for decision in decisions}
    if types & CLOSE_DECISIONS and types & INCOMPATIBLE_WITH_CLOSE:
        raise faults.invalid('Specified decision is incompatible with close decision')


def check_batch(decisions: list[dict[str, Any]]) -> None:
    """Refuse a batch that cannot stand.

    Raises:
        ServiceError: ValidationException.
    """
    if len(decisions) > 1:
        close_comes_last(decisions)
        close_stands_with_its_like(decisions)
