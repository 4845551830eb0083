"""Rules about what SWF refused: types that are not registered, rates, permissions, ids that are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from genflow.core.model.refusals import is_backpressure
from genflow.insight.finding import Case, Evidence, Found, remedy
from genflow.insight.operations import Refusal
from genflow.insight.rules.decisions import times

__all__ = [
    'activity_unregistered',
    'child_unregistered',
    'close_refused',
    'default_undefined',
    'id_taken',
    'lambda_refused',
    'not_permitted',
    'throttled',
    'type_deprecated',
    'undelivered',
]

THROTTLED_FOR = 60
"""Seconds for which a refusal because of a rate or quota is a finding."""


def _last(case: Case, matches: Callable[[Refusal], bool]) -> Refusal | None:
    """The latest refusal of a kind, while the execution is open."""
    if not case.view.is_open:
        return None
    return next((refusal for refusal in reversed(case.view.refusals) if matches(refusal)), None)


def _shown(refusal: Refusal) -> tuple[Evidence, ...]:
    return (Evidence(f'{refusal.event_type}: {refusal.cause}', refusal.id, refusal.at),)


def _unregistered(kind: str, event_type: str) -> Callable[[Case], Iterator[Found]]:
    def find(case: Case) -> Iterator[Found]:
        cause = f'{kind.upper()}_TYPE_DOES_NOT_EXIST'
        refusal = _last(case, lambda one: one.cause == cause and one.event_type == event_type)
        if refusal is not None:
            yield Found(
                f'The {kind} type is not registered: SWF refused {refusal.what}.',
                remedy(
                    'Run a worker whose code has this type: it registers the type.',
                    case.worker(),
                ),
                _shown(refusal),
            )

    find.__doc__ = f'{"An activity" if kind == "activity" else "A child workflow"} type is not registered.'
    return find


activity_unregistered = _unregistered('activity', 'ScheduleActivityTaskFailed')
child_unregistered = _unregistered('workflow', 'StartChildWorkflowExecutionFailed')


def type_deprecated(case: Case) -> Iterator[Found]:
    """A type is deprecated: SWF begins nothing new of it."""
    refusal = _last(case, lambda one: one.cause.endswith('_TYPE_DEPRECATED'))
    if refusal is not None:
        yield Found(
            f'The type is deprecated, so SWF refused {refusal.what}.',
            remedy(
                'Undeprecate it (`aws swf undeprecate-activity-type` or `undeprecate-workflow-type`), or call another '
                'version. To see which types are deprecated:',
                case.command('types', '--deprecated'),
            ),
            _shown(refusal),
        )


def throttled(case: Case) -> Iterator[Found]:
    """SWF refuses because of a rate or a quota; it is asked again after a back-off."""
    refusal = _last(case, lambda one: is_backpressure(one.cause))
    if refusal is None or case.since(refusal.at) > THROTTLED_FOR:
        return
    count = sum(1 for one in case.view.refusals if one.cause == refusal.cause)
    yield Found(
        f'SWF throttles it: {refusal.cause} ({times(count)}, last {case.ago(refusal.at)}, for {refusal.what}).',
        'The engine asks again by itself after a back-off. Lower the rate (`map(..., limit=)`), or ask AWS for a '
        'higher quota.',
        _shown(refusal),
    )


def not_permitted(case: Case) -> Iterator[Found]:
    """The decider's role may not do what the code asks for."""
    refusal = _last(case, lambda one: one.cause == 'OPERATION_NOT_PERMITTED')
    if refusal is not None:
        yield Found(
            f'The decider is not permitted to ask for {refusal.what}.',
            remedy(
                "Allow the action in the IAM policy of the decider's role. To see who the credentials belong to:",
                case.command('doctor'),
            ),
            _shown(refusal),
        )


def default_undefined(case: Case) -> Iterator[Found]:
    """A call leaves out a setting for which its type has no default."""
    refusal = _last(case, lambda one: one.cause.startswith('DEFAULT_'))
    if refusal is not None:
        setting = refusal.cause.removeprefix('DEFAULT_').removesuffix('_UNDEFINED').replace('_', ' ').lower()
        yield Found(
            f'SWF refused {refusal.what}: neither the call nor the registered type gives a {setting}.',
            remedy(
                'Give it in the proxy, or register another version of the type with a default. To see the types:',
                case.command('types'),
            ),
            _shown(refusal),
        )


def id_taken(case: Case) -> Iterator[Found]:
    """A child's workflow id is taken by an open execution."""
    refusal = _last(case, lambda one: one.cause == 'WORKFLOW_ALREADY_RUNNING')
    if refusal is not None:
        key = refusal.attributes.get('workflowId', '')
        yield Found(
            f'The child was not started: an execution with the workflow id {key!r} is open.',
            remedy(
                'Give the child another workflow id. To look at the other execution, or to end it:',
                case.command('why', str(key)),
                case.command('terminate', str(key)),
            ),
            _shown(refusal),
        )


def lambda_refused(case: Case) -> Iterator[Found]:
    """A Lambda function could not be scheduled or started."""
    refusal = _last(case, lambda one: 'LambdaFunctionFailed' in one.event_type and not is_backpressure(one.cause))
    if refusal is not None:
        yield Found(
            f'The {refusal.what} could not be called: {refusal.cause}.',
            'Start the execution with a Lambda role (`lambda_role=`) that may be assumed by SWF and may call it.',
            _shown(refusal),
        )


def undelivered(case: Case) -> Iterator[Found]:
    """A signal or cancel request went to an execution that is not open."""
    refusal = _last(case, lambda one: one.cause == 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION')
    if refusal is not None:
        yield Found(
            f'SWF could not deliver {refusal.what}: no such execution is open.',
            'Check the workflow id, and that the other execution still runs.',
            _shown(refusal),
        )


CLOSE_REFUSALS = 3
"""So many UNHANDLED_DECISION refusals are a finding; a single one is normal."""


def close_refused(case: Case) -> Iterator[Found]:
    """The close is refused again and again, because something new arrives each time."""
    found = [one for one in case.view.refusals if one.cause == 'UNHANDLED_DECISION']
    if case.view.is_open and len(found) >= CLOSE_REFUSALS:
        yield Found(
            f'The workflow wants to close, and SWF refused it {times(len(found))}: new events arrived meanwhile.',
            'Send signals to it less often.',
            _shown(found[-1]),
        )
