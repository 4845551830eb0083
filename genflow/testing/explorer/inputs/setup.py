"""The data that all runs of one exploration share: the workflow, its input, the stubs and the signals to send."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import Factory, field, frozen

from genflow.core.authoring.workflow import Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.testing.explorer.inputs.arrivals import signal_texts, update_texts
from genflow.testing.explorer.inputs.shared_state import SharedState
from genflow.testing.tester.doubles import Double, Doubles

__all__ = ['Asked', 'Called', 'Setup']


@frozen(eq=False)
class Called:
    """The facts about a type that is called, which all its calls share.

    Attributes:
        double: The stub or class in its place; ``None`` for a type that no proxy of the workflow names.
        spec: The type itself, where the test has its class.
        attribute: The name of the proxy on the workflow class.
        answers: How a call may end, each with the faults that it counts for.
        nothing: The result of a call that completes without a stub.
    """

    double: Double | None
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
    """The data that every run of an exploration shares.

    Attributes:
        spec: The workflow type.
        input: Its serialized arguments.
        doubles: The stubs by type.
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
    doubles: Doubles
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
        return frozenset({'timer', *(kind for kind, _, _ in self.doubles.parts)})

    @classmethod
    def of(
        cls,
        doubles: Doubles,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        signals: Mapping[Any, Any] | None = None,
        updates: Mapping[str, Any] | None = None,
        always: Callable[[Any], Any] | None = None,
        minds_calls: bool = False,
    ) -> Setup:
        """The setup from the arguments of an exploration.

        Raises:
            TypeError: The arguments do not fit ``run``.
        """
        owner = doubles.lead.cls
        made = owner()
        _check_arguments(made, args, kwargs)
        return cls(
            doubles.lead,
            made._serialize_arguments(*args, **kwargs),
            doubles,
            signals={**signal_texts(owner, signals or {}), **update_texts(owner, updates or {})},
            says_signals=signals is not None,
            always=always,
            parameters=_parameters(doubles),
            minds_calls=minds_calls,
            shared=SharedState.of(owner),
        )


def _check_arguments(made: Workflow, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    signature = inspect.signature(made.run)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f'these arguments do not fit {type(made).__name__}.run{signature}: {error}') from None


def _parameters(doubles: Doubles) -> dict[tuple[str, str], list[str]]:
    """By kind and name of a type, the names of the parameters of its code or its stub."""
    found = {}
    for (kind, name, _), double in doubles.parts.items():
        code = double.stub if double.is_stubbed else None if double.spec is None else double.spec.cls.run  # type: ignore[attr-defined]
        if callable(code) and not isinstance(code, type):
            names = list(inspect.signature(code).parameters)
            found[kind, name] = names[1:] if names[:1] == ['self'] else names
    return found
