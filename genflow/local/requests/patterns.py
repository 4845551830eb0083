"""What strings may say, beyond the lengths and enums of the model.

Characters: the model's text forbids ``: / |``, control characters and the word ``arn`` in names. The live service
accepts colons in the ids of children and timers, and AWS's own framework relies on that: ids are only refused control
characters and ``arn``. Durations are decimal digits, or ``NONE`` where unlimited is allowed, up to one year.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import frozen

__all__ = ['BY_MEMBER', 'BY_SHAPE', 'NESTED_NAMES', 'Pattern']

YEAR_SECONDS = 31_536_000
LAMBDA_SECONDS = 900
RETENTION_DAYS = 90
PRIORITIES = range(-(2**31), 2**31)

_CONTROLS = r'\x00-\x1f\x7f-\x9f'
_NAME = re.compile(rf'(?!arn\Z)[^:/|{_CONTROLS}]*\Z')
_TRIMMED_NAME = re.compile(rf'(?!arn\Z)(?!\s)[^:/|{_CONTROLS}]*(?<!\s)\Z')
_ID = re.compile(rf'(?!arn\Z)[^{_CONTROLS}]*\Z')
_TAG = re.compile(r'[\w .:/=+\-@]*\Z')
# More digits than any number needs: Python reads no number of some thousand.
_DIGITS = re.compile(r'[0-9]{1,40}\Z')
_NUMBER = re.compile(r'[+-]?[0-9]{1,40}\Z')


@frozen
class Pattern:
    """A rule for a string: whether it is kept, and how the service says what it wants."""

    accepts: Callable[[str], object]
    wants: str


def _duration(low: int, high: int, *, unlimited: bool, optional: bool) -> Pattern:
    """Digits between ``low`` and ``high``; ``unlimited`` allows NONE, ``optional`` the empty string."""
    words = {word for word, allowed in (('NONE', unlimited), ('', optional)) if allowed}

    def accepts(text: str) -> bool:
        return text in words or (_DIGITS.match(text) is not None and low <= int(text) <= high)

    choices = f'a whole number between {low} and {high}' + (' or NONE' if unlimited else '')
    return Pattern(accepts, f'Member must be {choices}')


def _priority(text: str) -> bool:
    return text == '' or (_NUMBER.match(text) is not None and int(text) in PRIORITIES)


NAME = Pattern(
    _NAME.match, 'Member must not contain : / | or control characters, and must not be the literal string arn'
)
TRIMMED_NAME = Pattern(
    _TRIMMED_NAME.match,
    'Member must not start or end with whitespace, must not contain : / | or control characters, and must not be the '
    'literal string arn',
)
ID = Pattern(_ID.match, 'Member must not contain control characters, and must not be the literal string arn')
RESOURCE_TAG = Pattern(_TAG.match, 'Member may contain letters, digits, spaces and _ . : / = + - @')
PERIOD = _duration(0, YEAR_SECONDS, unlimited=True, optional=True)
LIFETIME = _duration(0, YEAR_SECONDS, unlimited=False, optional=True)
TIMER = _duration(0, YEAR_SECONDS, unlimited=False, optional=False)
LAMBDA = _duration(1, LAMBDA_SECONDS, unlimited=False, optional=True)
RETENTION = _duration(0, RETENTION_DAYS, unlimited=True, optional=False)
PRIORITY = Pattern(_priority, 'Member must be a whole number between -2147483648 and 2147483647')

BY_SHAPE: dict[str, Pattern] = {
    'DurationInSecondsOptional': PERIOD,
    'DurationInSeconds': TIMER,
    'DurationInDays': RETENTION,
    'TaskPriority': PRIORITY,
    'ResourceTagKey': RESOURCE_TAG,
    'ResourceTagValue': RESOURCE_TAG,
}
"""Shape -> rule, wherever it occurs."""

BY_MEMBER: dict[tuple[str, str], Pattern] = {
    ('TaskList', 'name'): NAME,
    ('RegisterDomainInput', 'name'): TRIMMED_NAME,
    ('RegisterActivityTypeInput', 'name'): NAME,
    ('RegisterActivityTypeInput', 'version'): NAME,
    ('RegisterWorkflowTypeInput', 'name'): NAME,
    ('RegisterWorkflowTypeInput', 'version'): NAME,
    ('RegisterWorkflowTypeInput', 'defaultExecutionStartToCloseTimeout'): LIFETIME,
    ('StartWorkflowExecutionInput', 'domain'): NAME,
    ('StartWorkflowExecutionInput', 'workflowId'): ID,
    ('StartWorkflowExecutionInput', 'executionStartToCloseTimeout'): LIFETIME,
    ('ScheduleActivityTaskDecisionAttributes', 'activityId'): ID,
    ('StartTimerDecisionAttributes', 'timerId'): ID,
    ('StartChildWorkflowExecutionDecisionAttributes', 'workflowId'): ID,
    ('StartChildWorkflowExecutionDecisionAttributes', 'executionStartToCloseTimeout'): LIFETIME,
    ('ContinueAsNewWorkflowExecutionDecisionAttributes', 'executionStartToCloseTimeout'): LIFETIME,
    ('ScheduleLambdaFunctionDecisionAttributes', 'startToCloseTimeout'): LAMBDA,
}
"""(structure, member) -> rule, before that of the shape."""

NESTED_NAMES: dict[tuple[str, str], Pattern] = {
    ('PollForActivityTaskInput', 'taskList'): TRIMMED_NAME,
    ('StartChildWorkflowExecutionDecisionAttributes', 'taskList'): TRIMMED_NAME,
}
"""(structure, member that holds a structure) -> rule for that structure's ``name``."""
