"""Rules about how an execution closed: the innermost failure, and the command that continues the execution."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from genflow.insight.finding import Case, Evidence, Found, remedy
from genflow.insight.operations import Attempt, Close, Operation
from genflow.insight.times import duration

__all__ = [
    'canceled',
    'continued',
    'event_limit',
    'execution_timed_out',
    'failed_by_activity',
    'failed_by_child',
    'failed_by_code',
    'failed_by_lambda',
    'failed_by_refusal',
    'failed_by_timeout',
    'failed_unscheduled',
    'policy_applied',
    'terminated',
]


def _again(case: Case, before: str = '') -> str:
    rerun = case.on_this('rerun', run_id=case.view.run_id)
    if '--db ' in case.facts.options:
        return remedy(
            f'{before}After you fix the cause, continue it where it failed, or start it again with the same input:',
            case.on_this('repair', run_id=case.view.run_id),
            rerun,
        )
    return remedy(f'{before}After you fix the cause, start it again with the same input:', rerun)


def _shown(close: Close) -> Evidence:
    return Evidence(f'the execution {close.status}', close.id, close.at)


def _culprit(close: Close, failed: Sequence[Operation]) -> Operation | None:
    """The failed operation that the failure names, or else the one that failed last."""
    latest = max(failed, key=lambda one: one.last.ended_id, default=None)
    return next(_named_in(close, failed), latest)


def _has_failed(operation: Operation) -> bool:
    return operation.has_failed or operation.state == 'canceled'


def _named_in(close: Close, operations: Sequence[Operation]) -> Iterator[Operation]:
    """The operations that the failure of an execution names: those of its reason first, then the innermost causes."""
    for text in (close.failure.reason or '', close.failure.traceback or ''):
        found = ((re.search(rf'\b{re.escape(one.label)}(?!\w)', text), one) for one in operations if one.label in text)
        yield from (one for _, one in sorted(((at.start(), one) for at, one in found if at), key=lambda pair: pair[0]))


def _named(close: Close, *names: str) -> bool:
    """Whether the failure is of one of these classes of genflow."""
    return any(name.rpartition('.')[2] in names for name in close.failure.names[:1]) or any(
        (close.reason or '').startswith(name) for name in names
    )


def _failed(case: Case) -> Close | None:
    close = case.view.close
    return close if close is not None and close.status == 'failed' else None


def _by(kinds: tuple[str, ...], names: tuple[str, ...], doc: str) -> Callable[[Case], Iterator[Found]]:
    def find(case: Case) -> Iterator[Found]:
        close = _failed(case)
        if close is None:
            return
        operation = _culprit(close, [one for one in case.view.operations if one.kind in kinds and _has_failed(one)])
        if operation is None:
            return
        attempt = operation.last
        if not _named(close, *names) and not _is_rebuilt(close, operation):
            return
        below = case.facts.children.get(attempt.key)
        cause = None if below is None else below.first_cause
        inner = f' {attempt.key}: {cause.text}' if cause is not None else ''
        yield Found(
            f'It failed {case.ago(close.at)} because {operation.label} {attempt.failed_because()}{_tried(attempt)}.'
            f'{inner}',
            _again(case),
            (Evidence(f'{operation.label} {attempt.state}', attempt.ended_id, attempt.ended_at), _shown(close)),
        )

    find.__doc__ = doc
    return find


def _is_rebuilt(close: Close, operation: Operation) -> bool:
    """Whether the workflow failed with the operation's own exception, which ``raises=`` brought back."""
    name = close.failure.names[:1]
    return bool(name) and name == operation.last.failure.names[:1] and operation in _named_in(close, [operation])


failed_by_activity = _by(
    ('activity',), ('ActivityFailed', 'ActivityCanceled'), 'An activity failed, and the workflow with it.'
)
failed_by_child = _by(
    ('child',),
    ('ChildFailed', 'ChildTimedOut', 'ChildTerminated', 'ChildCanceled'),
    'A child failed, and the workflow with it.',
)
TIME_OUTS = ('ActivityTimedOut', 'TaskTimeout', 'LambdaTimedOut')

UNSETTLED = ': not settled within '
"""What the failure says where the code's own ``.timeout()`` struck."""


def failed_by_timeout(case: Case) -> Iterator[Found]:
    """An activity or Lambda function timed out, and the workflow with it."""
    close = _failed(case)
    if close is None or not _named(close, *TIME_OUTS, 'ChildTimedOut'):
        return
    what = (close.reason or '').partition(': ')[2]
    if UNSETTLED in what:
        task, _, limit = what.partition(UNSETTLED)
        text = f'{task} did not settle within {limit}, the limit that the code gives with `.timeout()`'
        yield Found(f'It failed {case.ago(close.at)} because {text}.', _again(case), (_shown(close),))
    elif _named(close, *TIME_OUTS):
        ended = [one for one in case.view.operations if one.state == 'timed out']
        found = _culprit(close, [one for one in ended if one.kind in ('activity', 'lambda')])
        if found is not None:
            yield _timed_out(case, close, found, found.last)


def _timed_out(case: Case, close: Close, operation: Operation, attempt: Attempt) -> Found:
    text = f'{operation.label} {attempt.failed_because()}{_tried(attempt)}'
    again = _again(case)
    if not attempt.started_id and attempt.task_list:
        text += f': no worker took it from the list {attempt.task_list!r}'
        again = remedy('A worker has to poll that list:', case.worker(attempt.task_list), *again.splitlines())
    ended = Evidence(f'{operation.label} {attempt.state}', attempt.ended_id, attempt.ended_at)
    return Found(f'It failed {case.ago(close.at)} because {text}.', again, (ended, _shown(close)))


def _tried(attempt: Attempt) -> str:
    """Which attempt it was, and of which worker."""
    tried = f' on attempt {attempt.number}' if attempt.number > 1 else ''
    return f'{tried} ({attempt.worker})' if attempt.worker else tried


failed_by_lambda = _by(('lambda',), ('LambdaFailed',), 'A Lambda function failed, and the workflow with it.')
failed_by_refusal = _by(
    ('child', 'lambda', 'signal', 'cancel'),
    ('ScheduleFailed', 'SignalFailed', 'CancelFailed'),
    'SWF refused a call, and the workflow failed with it.',
)


def failed_unscheduled(case: Case) -> Iterator[Found]:
    """SWF refused to schedule a call, and the workflow failed with it."""
    close = _failed(case)
    if close is not None and _named(close, 'ScheduleFailed') and case.view.refusals:
        refusal = case.view.refusals[-1]
        yield Found(
            f'It failed {case.ago(close.at)} because SWF refused {refusal.what}: {refusal.cause}.',
            _again(case),
            (Evidence(f'{refusal.event_type}: {refusal.cause}', refusal.id, refusal.at), _shown(close)),
        )


def failed_by_code(case: Case) -> Iterator[Found]:
    """The workflow's own code raised."""
    close = _failed(case)
    if close is None or any(found for find in _OTHER_FAILURES for found in find(case)):
        return
    where = _last_line(close.failure.traceback)
    cause = next(_named_in(close, [one for one in case.view.operations if _has_failed(one)]), None)
    after = '' if cause is None else f', after {cause.label} {cause.last.failed_because()}'
    shown = (
        () if cause is None else (Evidence(f'{cause.label} {cause.state}', cause.last.ended_id, cause.last.ended_at),)
    )
    yield Found(
        f'It failed {case.ago(close.at)}{_raised(close)}{where}{after}.',
        _again(case),
        (*shown, _shown(close)),
    )


_OTHER_FAILURES = (
    failed_by_activity,
    failed_by_child,
    failed_by_timeout,
    failed_by_lambda,
    failed_by_refusal,
    failed_unscheduled,
)


def _raised(close: Close) -> str:
    """What a failure says of its cause; another decider than genflow's gives any reason, or none."""
    reason = close.failure.reason
    if close.failure.names or close.failure.traceback:
        return f': its code raised {reason or "an exception"}'
    return f' with the reason {reason!r}' if reason else ' without a reason'


def _last_line(traceback: str | None) -> str:
    """The last ``File … line …`` of a traceback."""
    lines = [line.strip() for line in (traceback or '').splitlines() if line.strip().startswith('File ')]
    return f' ({lines[-1]})' if lines else ''


def execution_timed_out(case: Case) -> Iterator[Found]:
    """SWF timed the execution out."""
    close = case.view.close
    if close is None or close.status != 'timed out':
        return
    open_ones = [one for one in case.view.open_operations() if not one.is_of_engine]
    task = case.view.decisions[-1] if case.view.decisions else None
    if task is not None and task.is_open:
        left = f'a decision task was {task.state} on {task.task_list!r}'
    else:
        left = ', '.join(f'{one.label} was {one.state}' for one in open_ones[:3]) or 'nothing of it was open'
    yield Found(
        f'SWF timed it out {case.ago(close.at)}, after {duration(case.view.age(case.now))}; then {left}.',
        _again(case, 'Give it a longer `workflow_duration` if it did nothing wrong. '),
        (_shown(close),),
    )


def event_limit(case: Case) -> Iterator[Found]:
    """SWF terminated the execution because its history was full."""
    close = case.view.close
    if close is not None and close.cause == 'EVENT_LIMIT_EXCEEDED':
        yield Found(
            f'SWF terminated it {case.ago(close.at)}: its history reached 25,000 events.',
            _again(case, 'Let the workflow restart in time (`restart_when_suggested`). '),
            (_shown(close),),
        )


def policy_applied(case: Case) -> Iterator[Found]:
    """The execution was ended because its parent closed."""
    close = case.view.close
    if close is not None and close.status == 'terminated' and close.cause == 'CHILD_POLICY_APPLIED':
        parent = case.view.parent
        yield Found(
            f'SWF terminated it {case.ago(close.at)}, because its parent {parent[0] if parent else ""} closed with the '
            'child policy TERMINATE.',
            remedy(
                'A child that is to outlive its parent needs the policy ABANDON and `.detach()`. To see why the parent '
                'closed:',
                case.command('why', parent[0], run_id=parent[1]),
            )
            if parent
            else '',
            (_shown(close),),
        )


ENDED_BY_SWF = ('EVENT_LIMIT_EXCEEDED', 'CHILD_POLICY_APPLIED')


def terminated(case: Case) -> Iterator[Found]:
    """The execution was terminated."""
    close = case.view.close
    if close is not None and close.status == 'terminated' and close.cause not in ENDED_BY_SWF:
        reason = f': {close.reason}' if close.reason else ''
        yield Found(f'It was terminated {case.ago(close.at)}{reason}.', _again(case), (_shown(close),))


def canceled(case: Case) -> Iterator[Found]:
    """The execution was canceled."""
    close = case.view.close
    if close is not None and close.status == 'canceled':
        request = case.view.cancel_requested
        asked = () if request is None else (Evidence('the cancellation was requested', request.id, request.at),)
        by = f' by {request.sender}' if request is not None and request.sender else ''
        yield Found(
            f'It was canceled {case.ago(close.at)}, as was asked for{by}.', _again(case), (*asked, _shown(close))
        )


def continued(case: Case) -> Iterator[Found]:
    """The execution goes on in another run."""
    close = case.view.close
    if close is not None and close.status == 'continued as new':
        yield Found(
            f'It restarted {case.ago(close.at)} and goes on in the run {close.new_run_id}.',
            case.command('why', case.view.workflow_id or 'ID', run_id=close.new_run_id),
            (_shown(close),),
        )
