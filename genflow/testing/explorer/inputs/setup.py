"""The data that all runs of one exploration share: the workflow, its input, the stubs and the signals to send."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from attrs import Factory, define, field, frozen

from genflow.core.authoring.updates import updates_of
from genflow.core.model.registry import WorkflowSpec
from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.core.payloads.hooks import encode, encode_value
from genflow.core.tasks.signals import Signal, declared_signals, signal_name
from genflow.testing.explorer.inputs.samples import argument_samples, signal_samples
from genflow.testing.explorer.inputs.shared_state import SharedState
from genflow.testing.tester.doubles import Double, Doubles
from genflow.testing.tester.stubs import Script

__all__ = ['Asked', 'Called', 'Memory', 'Setup', 'own_updates', 'signal_texts', 'signal_variants', 'update_texts']

CONTAINERS = (list, dict, set)


@frozen(eq=False)
class Called:
    """What is the same for all calls of a type in the runs of one exploration.

    Attributes:
        part: Who stands for it; ``None`` for a type that no proxy of the workflow names.
        spec: The type itself, where the test has its class.
        attribute: The name of the proxy on the workflow class.
        answers: How a call may end, each with the faults that it counts for.
        nothing: The result of a call that completes without a stub.
    """

    part: Double | None
    spec: Any
    attribute: str
    answers: tuple[tuple[str, int], ...]
    nothing: str


class Asked(NamedTuple):
    """What a call asks for.

    Attributes:
        what: Its name and its arguments, idempotency keys left out, which differ from call to call.
        key: Its idempotency key, if it has one.
        key_text: The key as text.
    """

    what: tuple[str, str]
    key: Any
    key_text: str


@frozen(eq=False)
class Setup:
    """What every run shares.

    Attributes:
        spec: The workflow type.
        input: Its serialized arguments.
        cast: The stubs by type.
        signals: By name, the inputs that arrive, in this order; each is sent once.
        variants: By name, other inputs that a signal may have by its type, where the test does not say them.
        says_signals: Whether the test said what arrives, so that nothing more does.
        extra: Signals that may arrive, once each, beyond those that the workflow needs, with their inputs.
        always: An invariant of the workflow object, asked after every decision.
        parameters: By kind and name, the names of the parameters of what is called.
        judged_updates: The updates that must not fail by a mistake: those that do not in the first order.
        minds_calls: Whether the check may see in which order calls were made, so that such orders are not the same.
        faults: Whether anything may fail, time out or be canceled.
        max_events: Events after which a run is cut off.
        max_runs: Restarts after which a run is cut off.
        called: By kind, name and version, what is known of the types that were called.
        asked: By kind, name and input, what calls ask for, once a judge has found that out.
        kinds: The kinds of what the workflow can call, and timers, which every workflow has.
        shared: What all executions of a process share.
        notes_places: Whether a run takes notes of where signals are waited for.
    """

    spec: WorkflowSpec
    input: str
    cast: Doubles
    signals: Mapping[str, Sequence[str]] = Factory(dict)
    variants: Mapping[str, Sequence[str]] = Factory(dict)
    says_signals: bool = False
    extra: Mapping[str, str] = Factory(dict)
    always: Callable[[Any], Any] | None = None
    parameters: Mapping[tuple[str, str], list[str]] = Factory(dict)
    judged_updates: frozenset[str] = frozenset()
    minds_calls: bool = False
    faults: bool = True
    max_events: int = 400
    max_runs: int = 4
    shared: SharedState = Factory(SharedState)
    notes_places: bool = False
    called: dict[tuple[str, str, str | None], Called] = field(init=False, factory=dict)
    asked: dict[tuple[str, str, str | None], Asked] = field(init=False, factory=dict)
    kinds: frozenset[str] = field(init=False)

    @kinds.default
    def _kinds(self) -> frozenset[str]:
        return frozenset({'timer', *(kind for kind, _, _ in self.cast.parts)})


def update_texts(cls: type, updates: Mapping[str, Any]) -> dict[str, list[str]]:
    """The inputs of signals that carry updates, from values by name: each is one argument, or a tuple of all of them.

    Each update has a queue of its own, so that they arrive in any order.
    """
    made: Any = cls()
    texts: dict[str, list[str]] = {}
    for name, values in updates.items():
        calls = values if isinstance(values, list) else [values]
        for args in calls:
            _check_update(cls, name, args if isinstance(args, tuple) else (args,))
        texts[f'{UPDATE_SIGNAL} {name}'] = [
            _update_text(name, place, made._serialize_arguments(*(args if isinstance(args, tuple) else (args,))))
            for place, args in enumerate(calls, 1)
        ]
    return texts


def _check_update(cls: type, name: str, args: tuple[Any, ...]) -> None:
    signature = inspect.signature(getattr(cls, name))
    try:
        signature.bind(None, *args)
    except TypeError as error:
        raise TypeError(f'{args!r} does not fit the update {cls.__name__}.{name}{signature}: {error}') from None


def _update_text(name: str, place: int, input: str) -> str:
    """What a signal carries of the update that comes in this place of those of its name."""
    return encode({'id': f'{name}-{place}', 'name': name, 'input': input})


def own_updates(cls: type) -> dict[str, str]:
    """What may arrive of the updates of a workflow class without a word from the test: one input each.

    An argument that has no default has a value by its hint; an update that has one without such a hint is left out.
    """
    made: Any = cls()
    found = {}
    for name in updates_of(cls):
        arguments = argument_samples(cls, name)
        if arguments is not None:
            found[f'{UPDATE_SIGNAL} {name}'] = _update_text(name, 1, made._serialize_arguments(**arguments))
    return found


def signal_variants(cls: type) -> dict[str, list[str]]:
    """The inputs that the signals of a workflow class may have by their hints, by name."""
    return {name: signal_samples(signal) for name, signal in declared_signals(cls).items()}


def signal_texts(cls: type, signals: Mapping[Any, Any]) -> dict[str, list[str]]:
    """The inputs of signals by name, from values by attribute, signal or name; a single value is a list of one."""
    texts: dict[str, list[str]] = {}
    for named, values in signals.items():
        own = getattr(cls, named, None) if isinstance(named, str) else named
        name = signal_name(own if isinstance(own, Signal) else named)
        texts[name] = [encode_value(value) for value in (values if isinstance(values, (list, tuple)) else [values])]
    return texts


@define(eq=False)
class Memory:
    """What the stubs remember: put back to its beginning before each run.

    These are the objects that bound methods belong to, scripts, and the lists, dicts and sets that functions reach
    through their closures or as globals of their own module.
    """

    roots: list[Any] = Factory(list)
    shared: SharedState = Factory(SharedState)
    _begin: list[Any] = field(factory=list)

    @classmethod
    def of(cls, stubs: Iterable[Any], shared: SharedState) -> Memory:
        """The memory of these stubs and invariants, and what executions share."""
        memory = cls(shared=shared)
        for stub in stubs:
            for root in _reached(stub):
                if not any(root is known for known in memory.roots):
                    memory.roots.append(root)
        memory._begin = memory.remembered()
        return memory

    def remembered(self) -> list[Any]:
        """A copy of everything."""
        return [copy.deepcopy(_content(root)) for root in self.roots]

    def restore(self, remembered: list[Any] | None = None) -> None:
        """Puts everything back as it was in the beginning, or when this copy was made."""
        self.shared.restore()
        for root, begin in zip(self.roots, self._begin if remembered is None else remembered, strict=True):
            put_back: Callable[[Any, Any], None] = _PUT_BACK.get(type(root), _put_back_object)
            put_back(root, copy.deepcopy(begin))


def _reached(stub: Any) -> list[Any]:
    if isinstance(stub, Script):
        return [stub, *(root for part in stub.stubs for root in _reached(part))]
    if isinstance(stub, MethodType):
        return [stub.__self__] if not isinstance(stub.__self__, type) else []
    if not isinstance(stub, FunctionType):
        return [stub] if callable(stub) and hasattr(stub, '__dict__') and not isinstance(stub, type) else []
    cells = [cell.cell_contents for cell in stub.__closure__ or ()]
    named = [stub.__globals__.get(name) for name in stub.__code__.co_names]
    inner = [root for value in cells if isinstance(value, (FunctionType, MethodType)) for root in _reached(value)]
    return [value for value in (*cells, *named) if _is_model(value)] + inner


def _is_model(value: Any) -> bool:
    """Whether a value is a container or an instance of a plain class of the user's."""
    if type(value) in CONTAINERS:
        return True
    return (
        type(value).__module__ != 'builtins'
        and not callable(value)
        and type(value).__dict__.get('__dict__') is not None
    )


def _content(root: Any) -> Any:
    return root if type(root) in CONTAINERS else vars(root)


def _put_back_list(root: list[Any], begin: list[Any]) -> None:
    root[:] = begin


def _put_back_mapping(root: Any, begin: Any) -> None:
    root.clear()
    root.update(begin)


def _put_back_object(root: Any, begin: dict[str, Any]) -> None:
    vars(root).clear()
    vars(root).update(begin)


_PUT_BACK: dict[type, Callable[[Any, Any], None]] = {
    list: _put_back_list,
    dict: _put_back_mapping,
    set: _put_back_mapping,
}
