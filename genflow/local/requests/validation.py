"""Requests held against botocore's model, as the service does it.

Theory of operation. Nearly every request is right, so each operation has one compiled check that only says yes or no:
closures over the model, made once, that touch each member once. Only where it says no is the request walked again, to
find the words: a member of the wrong JSON type is a ``SerializationException``, everything else is collected into
one ``ValidationException`` that lists all constraints in member order. Null and unknown members are ignored, which
is why the walk returns a clean copy; where nothing is wrong beyond them the request is served from that copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from attrs import define, field, frozen

from genflow.local.requests import faults
from genflow.local.requests.decision_lists import close_comes_last
from genflow.local.requests.model import Shape, input_shape
from genflow.local.requests.patterns import BY_MEMBER, BY_SHAPE, NESTED_NAMES, Pattern

__all__ = ['DECISION_TYPES', 'LATEST', 'checked', 'decision_member', 'quick_check']

Check = Callable[[Any], bool]

DECISION_TYPES = (
    'CompleteWorkflowExecution',
    'StartTimer',
    'RequestCancelExternalWorkflowExecution',
    'SignalExternalWorkflowExecution',
    'CancelTimer',
    'RecordMarker',
    'ScheduleActivityTask',
    'ContinueAsNewWorkflowExecution',
    'ScheduleLambdaFunction',
    'FailWorkflowExecution',
    'RequestCancelActivityTask',
    'StartChildWorkflowExecution',
    'CancelWorkflowExecution',
)
"""What the service lists for a decision's type, in its own order."""

LISTS_WITH_NULL = frozenset({'TagList'})
"""Lists that keep the null items of a request, as the live service was seen to do; other lists drop them."""

EARLIEST, LATEST = -62_135_596_800, 253_402_300_799
"""Epoch seconds of the years that a timestamp can have, 1 to 9999: those of Python's and boto3's datetimes."""

HUGE = 10**40
"""An integer that error texts do not repeat."""

REMEMBERED = 256
"""How many of the last texts are remembered at each member with a pattern, such as a name or a period, together with
whether they match it. There are some 50 such members, so that this takes 15 MB at most."""

LONGEST_REMEMBERED = 256
"""The most characters that a member may have whose texts are remembered."""

INTEGER_END = 1 << 31
"""The first number that an integer of the model cannot hold."""

REPORT_ORDER = {
    'DescribeWorkflowExecutionInput': ('execution', 'domain'),
    'GetWorkflowExecutionHistoryInput': ('execution', 'domain'),
    'WorkflowExecution': ('runId', 'workflowId'),
}
"""Operation -> its members in the order in which the live service was seen to report them."""


TOKEN = 'TaskToken'  # noqa: S105 - the name of a shape
"""What may be of a subclass of ``str`` that has read it already. Every other text is kept, or given to a decider, as it
is in JSON; an enumeration's member, or a text of markup, is not."""


@cache
def decision_member(decision_type: str) -> str:
    """``'StartTimer'`` -> ``'startTimerDecisionAttributes'``."""
    return f'{decision_type[0].lower()}{decision_type[1:]}DecisionAttributes'


def encodable(text: str) -> bool:
    """It is text: no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@frozen
class Rule:
    """A shape at one place of a request: what the model says of it there.

    Attributes:
        shape: What the model calls it.
        least, most: bounds of a length or a number.
    """

    shape: Shape
    pattern: Pattern | None
    enum: tuple[str, ...]
    least: int | None
    most: int | None


def rule_at(shape: Shape, structure: str, member: str, named: Pattern | None) -> Rule:
    """The rule of ``member`` of ``structure``; ``named`` is a rule that the place of the structure brings along."""
    pattern = named if named and member == 'name' else BY_MEMBER.get((structure, member)) or BY_SHAPE.get(shape.name)
    enum = DECISION_TYPES if shape.name == 'DecisionType' else tuple(shape.metadata.get('enum', ()))
    return Rule(shape, pattern, enum, shape.metadata.get('min'), shape.metadata.get('max'))


# The quick check, which only accepts or refuses.


def quick(rule: Rule, named: Pattern | None) -> Check:
    """The compiled check of one member."""
    return QUICK[rule.shape.type_name](rule, named)


def _quick_string(rule: Rule, named: Pattern | None) -> Check:
    least, most = rule.least or 0, rule.most if rule.most is not None else 1 << 30
    enum = frozenset(rule.enum)
    accepts = rule.pattern.accepts if rule.pattern else None

    def check(value: Any) -> bool:
        return type(value) is str and least <= len(value) <= most and (value.isascii() or encodable(value))

    def follows(value: str) -> bool:
        return check(value) and accepts is not None and bool(accepts(value))

    if rule.shape.name == TOKEN:
        return lambda value: isinstance(value, str) and least <= len(value) <= most and value.isascii()
    if enum:
        return lambda value: type(value) is str and value in enum
    if accepts is not None:
        is_right = lru_cache(REMEMBERED)(follows) if most <= LONGEST_REMEMBERED else follows
        return lambda value: type(value) is str and len(value) <= most and is_right(value)
    return check


def _quick_number(rule: Rule, named: Pattern | None) -> Check:
    least, most = rule.least or 0, rule.most if rule.most is not None else 1 << 62
    return lambda value: type(value) is int and least <= value <= most


def _quick_boolean(rule: Rule, named: Pattern | None) -> Check:
    return lambda value: type(value) is bool


def _quick_timestamp(rule: Rule, named: Pattern | None) -> Check:
    def check(value: Any) -> bool:
        if type(value) is bool or not isinstance(value, int | float):
            return isinstance(value, datetime)
        return EARLIEST <= value <= LATEST

    return check


def _quick_list(rule: Rule, named: Pattern | None) -> Check:
    shape = rule.shape
    element = quick(rule_at(shape.member, shape.name, 'member', None), None)
    least, most = rule.least or 0, rule.most if rule.most is not None else 1 << 30

    def check(value: Any) -> bool:
        return type(value) is list and least <= len(value) <= most and all(map(element, value))

    return check


def _quick_structure(rule: Rule, named: Pattern | None) -> Check:
    shape = rule.shape
    checks = {name: quick(inner, inner_named) for name, inner, inner_named in members(shape, named)}
    required = frozenset(shape.required_members)
    of_decision = shape.name == 'Decision'

    def check(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, member in value.items():
            if name not in checks or not checks[name](member):
                return False
        return not of_decision or decision_member(value['decisionType']) in value

    return check


QUICK: dict[str, Callable[[Rule, Pattern | None], Check]] = {
    'string': _quick_string,
    'integer': _quick_number,
    'long': _quick_number,
    'boolean': _quick_boolean,
    'timestamp': _quick_timestamp,
    'list': _quick_list,
    'structure': _quick_structure,
}


def members(shape: Shape, named: Pattern | None) -> Iterator[tuple[str, Rule, Pattern | None]]:
    """(name, rule, rule that it brings along) of the members, in the order of the service's reports."""
    first = REPORT_ORDER.get(shape.name, ())
    for name in (*first, *(name for name in shape.members if name not in first)):
        yield name, rule_at(shape.members[name], shape.name, name, named), NESTED_NAMES.get((shape.name, name))


@cache
def quick_check(operation: str) -> Check:
    """Says of a request of ``operation`` that it is right, or that it must be looked at."""
    shape = input_shape(operation)
    return quick(Rule(shape, None, (), None, None), None)


# The slow check, which makes the error texts.


@define
class Report:
    """What a request breaks."""

    constraints: list[str] = field(factory=list)

    def add(self, value: Any, path: str, wants: str) -> None:
        shown = 'null' if value is None else f"'{shorten(value)}'"
        self.constraints.append(f"Value {shown} at '{path}' failed to satisfy constraint: {wants}")

    def raise_if_any(self) -> None:
        """Raise the one error that lists everything."""
        if self.constraints:
            count = len(self.constraints)
            noun = 'error' if count == 1 else 'errors'
            raise faults.invalid(f'{count} validation {noun} detected: ' + '; '.join(self.constraints))


def shorten(value: Any) -> Any:
    """A huge integer without its digits, which may be a million."""
    return 'a number of more than 40 digits' if isinstance(value, int) and abs(value) >= HUGE else value


def wrong_type(path: str, value: Any, wanted: str) -> Exception:
    """A member that is not of its JSON type."""
    return faults.fault('SerializationException', f'{path or "body"}: {type(value).__name__} found, {wanted} expected')


PYTHON_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    'string': (str, 'a string'),
    'integer': (int, 'an integer'),
    'long': (int, 'an integer'),
    'boolean': (bool, 'true or false'),
    'timestamp': ((int, float, datetime), 'a number of seconds'),
    'list': ((list, tuple), 'a list'),
    'structure': (dict, 'an object'),
}

INTEGERS = frozenset({'integer', 'long'})


def walk(rule: Rule, named: Pattern | None, value: Any, path: str, report: Report) -> Any:
    """A clean copy of ``value``, with what is wrong with it added to the report."""
    kind = rule.shape.type_name
    types, wanted = PYTHON_TYPES[kind]
    if kind in INTEGERS and is_out_of_range(value):
        report.add(value, path, f'Member must be an integer below {INTEGER_END}')
        return value
    if not isinstance(value, types) or (isinstance(value, bool) and kind != 'boolean'):
        raise wrong_type(path, value, wanted)
    if kind == 'structure':
        return _walk_structure(rule, named, value, path, report)
    if kind == 'list':
        return _walk_list(rule, value, path, report)
    if isinstance(value, str) and not encodable(value):
        raise wrong_type(path, value, 'text without lone surrogates')
    for wants in broken(rule, value):
        report.add(value, path, wants)
    return str.__str__(value) if isinstance(value, str) and rule.shape.name != TOKEN else value


def broken(rule: Rule, value: Any) -> Iterator[str]:
    """What the value should have been."""
    if isinstance(value, str):
        if rule.enum and value not in rule.enum:
            yield f'Member must satisfy enum value set: [{", ".join(rule.enum)}]'
        yield from out_of_bounds(rule, len(value), 'have length')
        if rule.pattern and not rule.pattern.accepts(value):
            yield rule.pattern.wants
    elif rule.shape.type_name in INTEGERS:
        yield from out_of_bounds(rule, value, 'have value')
    elif rule.shape.type_name == 'timestamp' and not _quick_timestamp(rule, None)(value):
        yield 'Member must be a moment of the years 1 to 9999, in seconds since 1970'


def is_out_of_range(value: Any) -> bool:
    """A number, written with an exponent, that no integer of the model can hold; 1e999 is read as infinity."""
    return isinstance(value, float) and not abs(value) < INTEGER_END


def out_of_bounds(rule: Rule, number: int, what: str) -> Iterator[str]:
    """How a length or a number misses its bounds."""
    if rule.most is not None and number > rule.most:
        yield f'Member must {what} less than or equal to {rule.most}'
    if rule.least is not None and number < rule.least:
        yield f'Member must {what} greater than or equal to {rule.least}'


def _walk_list(rule: Rule, value: Any, path: str, report: Report) -> list[Any]:
    shape = rule.shape
    element = rule_at(shape.member, shape.name, 'member', None)
    clean = [
        item if item is None else walk(element, None, item, f'{path}.{index}.member', report)
        for index, item in enumerate(value, start=1)
        if item is not None or shape.name in LISTS_WITH_NULL
    ]
    for wants in out_of_bounds(rule, len(clean), 'have length'):
        report.add(value, path, wants)
    return clean


def _walk_structure(rule: Rule, named: Pattern | None, value: Any, path: str, report: Report) -> dict[str, Any]:
    shape = rule.shape
    clean = {}
    prefix = f'{path}.' if path else ''
    defaults = default_members(shape, value)
    for name, inner, inner_named in members(shape, named):
        member = value.get(name)
        if member is None:
            member = defaults.get(name)
        if member is not None:
            clean[name] = walk(inner, inner_named, member, prefix + name, report)
        elif name in shape.required_members:
            report.add(None, prefix + name, 'Member must not be null')
    return clean


def default_members(shape: Shape, value: dict[str, Any]) -> dict[str, Any]:
    """What stands in for members that are missing: a decision without its attributes has empty ones."""
    if shape.name == 'Decision' and value.get('decisionType') in DECISION_TYPES:
        return {decision_member(value['decisionType']): {}}
    return {}


def checked(operation: str, request: Any) -> dict[str, Any]:
    """The request, clean, if the service would take it.

    Raises:
        ServiceError: SerializationException or ValidationException.
    """
    if quick_check(operation)(request):
        clean: dict[str, Any] = request
        return clean
    report = Report()
    shape = input_shape(operation)
    clean = walk(Rule(shape, None, (), None, None), None, request, '', report)
    if operation == 'RespondDecisionTaskCompleted':
        close_comes_last(clean.get('decisions', []))
    report.raise_if_any()
    return clean
