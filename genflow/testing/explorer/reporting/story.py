"""Describes a run as text, with places in the user's code, and as a history for a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genflow.core.errors import GenflowError
from genflow.core.model.events import Completed, Refused
from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.core.payloads.envelopes import opened, opened_input
from genflow.core.text import suspended_at
from genflow.testing.explorer.inputs.memory import Memory
from genflow.testing.explorer.inputs.setup import Setup
from genflow.testing.explorer.places import shown_place
from genflow.testing.explorer.playing.choices import ALLOW_ALL
from genflow.testing.explorer.playing.items import DECIDE, Action
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.histories.history import History
from genflow.testing.histories.open_items import ImpossibleStory

__all__ = ['history_code', 'story_text']

CREATED = frozenset({'activity', 'timer', 'child', 'lambda'})
MAX_BRANCHES = 4
MAX_RESULT = 60


def story_text(setup: Setup, memory: Memory, steps: Sequence[Action]) -> str:
    """What happens in a run, step by step, with the place of each branch after each decision."""
    memory.restore()
    run = Simulation(setup)
    lines = []
    number = 0
    for planned in steps:
        before = len(run.calls)
        step = next((action for action in run.actions(ALLOW_ALL) if action.label == planned.label), None)
        if step is None:
            lines.append(f'     the code behaves differently this time: {_sentence(planned)} is not possible')
            break
        if step is not DECIDE:
            number += 1
            value = _value(run, step)
            run.take(step)
            lines.append(f'{number:>3}. {_sentence(step, value())}')
            continue
        run.take(step)
        made = ', '.join(map(repr, run.calls[before:]))
        lines.append(f'     decision: {"calls " + made if made else "calls nothing"}{_places(run)}')
    lines.append(f'     {_ending(run)}')
    run.close()
    return '\n'.join(lines)


def _value(run: Simulation, step: Action) -> Callable[[], str]:
    """What a step brings, to be asked for when it was taken: a signal its value, a call its result."""
    if step.verb == 'signal':
        text = '' if step.name.startswith(f'{UPDATE_SIGNAL} ') else run.text_of(step)
        value = '' if text in ('', None, 'null') else f' with {text}'
        return lambda: value
    item = run.open.get(step.ref)
    if step.verb != 'end' or item is None:
        return lambda: ''
    if item.kind == 'timer':
        return lambda: f' at {item.due:g} s'
    call = run.call_at(item.ref)
    known = len(run.events)
    return lambda: '' if call is None or step.outcome == 'started' else f' ({call!r}{_result(run.events[known:])})'


def _result(events: Sequence[Any]) -> str:
    """The result that a call has got, unless that is ``null``."""
    text = next((event.result for event in events if type(event) is Completed), None)
    if text in (None, 'null'):
        return ''
    return f' = {text}' if len(text) <= MAX_RESULT else f' = {text[:MAX_RESULT]}…'


def _sentence(step: Action, value: str = '') -> str:
    when = {'before': ', before the next decision begins', 'during': ', while the next decision is made'}
    name = step.name
    if step.verb == 'signal':
        update = name.removeprefix(f'{UPDATE_SIGNAL} ')
        name = f'signal {name}' if update == name else f'update {update}'
    return _SENTENCES[step.verb].format(name=name, outcome=step.outcome) + value + when.get(step.when, '')


_SENTENCES = {
    'end': '{name}: {outcome}',
    'signal': '{name} arrives',
    'cancel': 'the cancellation of the execution is requested',
    'evict': 'the worker drops the execution from its cache; the next decision replays it',
    'lose': 'a decision task times out',
    'refuse': 'SWF refuses the next {name} when it is asked for',
    'decide': 'decision',
}


def _places(run: Simulation) -> str:
    branches = list(run.live.branches.items())[:MAX_BRANCHES]
    waits = ['' if branch.awaiting is None else f' waits for {branch.awaiting.label}' for _, branch in branches]
    places = [shown_place(suspended_at(generator)) + wait for (generator, _), wait in zip(branches, waits, strict=True)]
    return ''.join(f'\n          at {place}' for place in places)


def _ending(run: Simulation) -> str:
    if run.error is not None:
        return f'the decision ends with {type(run.error).__name__}'
    if run.violation is not None or run.broken_update is not None:
        return str(run.violation or run.broken_update)
    if run.closed is None:
        return 'the execution stays open' if not run.cut else 'the run is cut off here'
    if run.closed.how == 'failed':
        return f'the execution fails: {run.closed.reason}'
    how = _ENDINGS.get(run.closed.how, run.closed.how)
    return f'the execution {how}' + (f' with {run.closed.result}' if run.closed.result else '')


_ENDINGS = {'completed': 'completes', 'canceled': 'is canceled', 'continued': 'continues as new'}


# as a history


def history_code(setup: Setup, args: tuple[Any, ...], kwargs: dict[str, Any], run: Simulation) -> tuple[Any, str]:
    """The last run of a story as a :class:`~genflow.testing.History`, and the code that makes it."""
    args, kwargs, carried = _begun_with(setup, args, kwargs, run)
    words = ', '.join([*map(repr, args), *(f'{name}={value!r}' for name, value in kwargs.items())])
    name = setup.spec.cls.__name__
    code = [f'History({name}{", " + words if words else ""})']
    try:
        history: History | None = History(setup.spec, *args, **kwargs)
        for method, given, options in [*carried, *_calls(run)]:
            shown = ', '.join([*map(repr, given), *(f'{key}={value!r}' for key, value in options.items())])
            code.append(f'    .{method}({shown})')
            history = getattr(history, method)(*given, **options)
    except (ImpossibleStory, GenflowError):
        if run.error is None:
            history = None
    return history, '(\n    ' + '\n'.join(code) + '\n)'


def _begun_with(setup: Setup, args: tuple[Any, ...], kwargs: dict[str, Any], run: Simulation) -> tuple[Any, Any, Any]:
    """The arguments of the last run, and calls that send the signals which the run before it did not read."""
    if not run.past:
        return args, kwargs, []
    own, signals = opened_input(opened(run.events[0].input)[1])
    given = ((), {}) if own is None else setup.spec.cls()._deserialize_arguments(own)
    return *given, [('signaled', (name,), {'raw': text}) for name, text in signals]


def _calls(run: Simulation) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """The calls of :class:`~genflow.testing.History` that tell the events of a run's last history."""
    keys: dict[int, str] = {}
    refused = _refused(run)
    found: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    for event in run.events:
        name = type(event).__name__
        members = ('workflow_id',) if name == 'ChildInitiated' else _KEYS
        key = next((getattr(event, member) for member in members if getattr(event, member, None)), None)
        if key is not None and getattr(event, 'decision_id', None):
            keys[event.id] = key
        make = _CALLS_OF.get(name)
        if event.id in refused:
            found.append(('decide', (), {'refuse': refused[event.id]}))
        elif make is not None:
            found.append(make(event, keys.get(getattr(event, 'ref', 0), '')))
    return found


def _refused(run: Simulation) -> dict[int, dict[str, str]]:
    """What SWF refused of each decision, with its cause; what it refuses by itself, such as a cancellation, not."""
    found: dict[int, dict[str, str]] = {}
    for event in run.events:
        if type(event) is Refused and event.kind in CREATED:
            found.setdefault(event.decision_id, {})[event.key] = event.cause
    return found


_KEYS = ('activity_id', 'timer_id', 'lambda_id', 'control', 'workflow_id')

_CALLS_OF: dict[str, Any] = {
    'DecisionStarted': lambda event, key: ('decision_started', (), {}),
    'DecisionCompleted': lambda event, key: ('decide', (), {}),
    'DecisionTimedOut': lambda event, key: ('decision_timed_out', (), {}),
    'Completed': lambda event, key: ('completed', (key,), {'raw': event.result}),
    'Failed': lambda event, key: ('failed', (key, event.reason or 'failed'), {'details': event.details}),
    'TimedOut': lambda event, key: ('timed_out', (key,), {'timeout_type': event.timeout_type}),
    'Canceled': lambda event, key: ('canceled', (key,), {}),
    'Terminated': lambda event, key: ('terminated', (key,), {}),
    'TimerFired': lambda event, key: ('fired', (key,), {}),
    'ChildStarted': lambda event, key: ('started', (key,), {}),
    'Delivered': lambda event, key: ('delivered', (key,), {}),
    'Undelivered': lambda event, key: ('refused', (key,), {'cause': event.cause}),
    'Signaled': lambda event, key: ('signaled', (event.name,), {'raw': event.input}),
    'CancelRequested': lambda event, key: ('cancel_requested', (), {}),
}
