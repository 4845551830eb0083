"""Test doubles: for each type that a workflow can call, a stub or the real class.

The types are found in the proxies of the workflow class and of the classes of its children. The real class of a type is
the one that the proxy was made from, or else an imported class that is decorated for the type. Of several, the one
nearest to the workflow is taken (same function, then same module), and of those the one that was decorated last.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import CodeType
from typing import Any

from attrs import Factory, define, evolve

from genflow.core.authoring.activity import Activity
from genflow.core.authoring.function_activity import FunctionActivity
from genflow.core.authoring.proxies import ActivityProxy, Proxy, WorkflowProxy
from genflow.core.authoring.workflow import Workflow, proxies_of
from genflow.core.model.options import MAX_SECONDS
from genflow.core.model.registry import ActivitySpec, Spec, WorkflowSpec, declared
from genflow.testing.histories.decide import specs_of
from genflow.testing.tester.stubs import Stand, TesterError, taken

__all__ = ['NOTHING', 'TASK_LIST', 'Double', 'Doubles', 'Key']

Key = tuple[str, str, 'str | None']
"""Kind (``activity``, ``child``, ``lambda``), name and version of a type."""

TASK_LIST = 'test'
"""Where tasks of types appear that name no list of their own."""

NOTHING = object()


@define
class Double:
    """One type that can be called.

    Attributes:
        proxy: The first proxy that calls it.
        owner: The workflow class that has the proxy.
        spec: The real class; ``None`` where none was imported, or several in other modules are equally near.
        rivals: The names of those several.
        stub: What stands in for it; :data:`NOTHING` where nothing does.
        given: The stubs of activities that are scheduled and not performed, by run id and activity id.
    """

    proxy: Proxy
    owner: type
    spec: Spec | None = None
    rivals: tuple[str, ...] = ()
    stub: Any = NOTHING
    given: dict[tuple[str, str], Any] = Factory(dict)

    @property
    def is_stubbed(self) -> bool:
        return self.stub is not NOTHING

    def give(self, run_id: str, activity_id: str) -> Any:
        """The stub of an activity that is being scheduled: calls take the entries of a script in this order.

        Raises:
            TesterError: The script has ended.
        """
        key = (run_id, activity_id)
        if key not in self.given:
            self.given[key] = taken(self.stub, self.proxy.name)
        return self.given[key]

    def missing(self) -> str:
        """What this type lacks to be run, for the error that says so."""
        name, version = self.proxy.name, str(self.proxy.version)
        way_out = f'give stubs={{({name!r}, {version!r}): …}}'
        if self.rivals:
            return f'which has no stub, and {" and ".join(self.rivals)} both declare it: {way_out}'
        return f'which has neither a stub nor an imported decorated class: {way_out}'

    def stand(self, stub: Any = NOTHING) -> Stand:
        """What plays the stub, with the serialization of the real class, or of the proxy where there is none."""
        hooks = self.proxy if self.spec is None else object.__new__(self.spec.cls)
        return Stand(self.proxy.name, self.stub if stub is NOTHING else stub, hooks, self.proxy.call.kind)


@define
class Doubles:
    """The parts of one test, by their types.

    Attributes:
        lead: The workflow that is tested.
    """

    lead: WorkflowSpec
    parts: dict[Key, Double] = Factory(dict)

    @classmethod
    def of(cls, workflow: type[Workflow] | WorkflowSpec, stubs: Mapping[Any, Any]) -> Doubles:
        """The doubles of a workflow.

        Raises:
            TesterError: A stub is for something that nothing here calls, or it is not clear which class is real.
        """
        doubles = cls(_complete(specs_of(workflow)[0]))
        doubles._walk(doubles.lead.cls)
        # Classes first: what a child calls that is a stub itself may have a stub, too.
        for named, stub in sorted(stubs.items(), key=lambda item: not isinstance(item[1], type)):
            for key in doubles._named(named):
                doubles._give(doubles.parts[key], stub)
        for part in doubles.parts.values():
            if not part.is_stubbed and part.spec is None:
                part.spec = _real(part)
        return doubles

    def workflow(self, name: str, version: str) -> WorkflowSpec | None:
        """The real class of a workflow type."""
        if (name, version) == (self.lead.name, self.lead.version):
            return self.lead
        part = self.parts.get(('child', name, version))
        return part.spec if part is not None and isinstance(part.spec, WorkflowSpec) and not part.is_stubbed else None

    def types(self) -> list[Spec]:
        """Every type, with the defaults that its real class says."""
        found: dict[tuple[type, str, str], Spec] = {(WorkflowSpec, self.lead.name, self.lead.version): self.lead}
        for (kind, name, version), part in self.parts.items():
            if kind != 'lambda':
                spec = part.spec or _default(kind, name, str(version))
                found.setdefault((type(spec), name, str(version)), _complete(spec))
        return list(found.values())

    # known types

    def _walk(self, owner: type) -> None:
        """Adds the types that a workflow class calls, and those that its children call."""
        for proxy in proxies_of(owner).values():
            key = _key(proxy)
            if key in self.parts:
                continue
            part = self.parts[key] = Double(proxy, owner)
            if key[0] == 'child':
                part.spec = _real(part)
                if part.spec is not None:
                    self._walk(part.spec.cls)

    def _give(self, part: Double, stub: Any) -> None:
        if not (isinstance(stub, type) and issubclass(stub, (Activity, Workflow))):
            part.spec = part.spec or _real(part)
            part.stub = stub
            return
        name, version = part.proxy.name, str(part.proxy.version)
        own = [spec for spec in declared(stub) if (spec.name, spec.version) == (name, version)]
        known = own[0] if own else part.spec or _real(part) or _default(_key(part.proxy)[0], name, version)
        part.spec = evolve(known, cls=stub)
        if issubclass(stub, Workflow):
            self._walk(stub)

    def add(self, proxy: Proxy) -> Double:
        """The part of a type that no attribute names: one that is bound from data, or started by the test itself."""
        key = _key(proxy)
        part = self.parts.get(key)
        if part is None:
            part = self.parts[key] = Double(proxy, self.lead.cls)
            part.spec = _real(part)
            if isinstance(part.spec, WorkflowSpec):
                self._walk(part.spec.cls)
        return part

    # the target of a stub

    def _named(self, named: Any) -> list[Key]:
        """The types that the key of a stub means.

        Raises:
            TesterError: Nothing here calls them.
        """
        keys = list(_keys(self.lead.cls, named))
        found = [key for key in keys if key in self.parts]
        if not found:
            proxies = list(_from_data(named, self.lead.cls))
            found = [_key(self.add(proxy).proxy) for proxy in proxies]
        if found:
            return found
        raise TesterError(self._unknown(named))

    def _unknown(self, named: Any) -> str:
        if isinstance(named, str):
            known = list(proxies_of(self.lead.cls))
            close = get_close_matches(named, known, 1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            return f'{self.lead.cls.__qualname__} has no proxy {named!r}; it has {", ".join(known) or "none"}{hint}'
        known = [f'{name!r}' if version is None else f'{name!r} {version!r}' for _, name, version in self.parts]
        return f'nothing here calls {named!r}; it calls {", ".join(known) or "no types"}'


def _key(proxy: Proxy) -> Key:
    return (proxy.call.kind, proxy.name, proxy.version)


def _keys(lead: type, named: Any) -> Iterator[Key]:
    """The types that the key of a stub may mean: an attribute, a proxy, a class, or name and version."""
    if isinstance(named, Proxy):
        yield _key(named)
    elif isinstance(named, str):
        proxy = proxies_of(lead).get(named)
        if proxy is not None:
            yield _key(proxy)
        yield ('lambda', named, None)
    elif isinstance(named, (type, FunctionActivity)):
        for spec in declared(named):
            yield ('child' if isinstance(spec, WorkflowSpec) else 'activity', spec.name, spec.version)
    elif isinstance(named, tuple) and len(named) == 2:  # noqa: PLR2004 - name and version
        yield from ((kind, named[0], str(named[1])) for kind in ('activity', 'child'))


def _from_data(named: Any, lead: type) -> Iterator[Proxy]:
    """The proxies that the key of a stub stands for, where the workflow may bind what no attribute has."""
    if isinstance(named, Proxy):
        yield from (named,) if named.owner is None else ()
    elif _binds(lead):
        for kind, name, version in _keys(lead, named):
            if kind == 'activity':
                yield ActivityProxy(name, version)
            elif kind == 'child' and not isinstance(named, tuple):
                yield WorkflowProxy(name, version)


def _binds(lead: type) -> bool:
    """Whether a workflow class calls ``self.bind``."""
    own = [cls for cls in lead.__mro__ if issubclass(cls, Workflow) and cls is not Workflow]
    functions = [value for cls in own for value in vars(cls).values() if inspect.isfunction(value)]
    return any(_names(function.__code__, 'bind') for function in functions)


def _names(code: CodeType, name: str) -> bool:
    """Whether code, or what is nested in it (a comprehension, a lambda), names an attribute."""
    return name in code.co_names or any(_names(part, name) for part in code.co_consts if isinstance(part, CodeType))


# the real classes


def _real(part: Double) -> Spec | None:
    """The real class of a part, if there is one.

    Raises:
        TesterError: There are several, and none is nearer than the others.
    """
    key = _key(part.proxy)
    if key[0] == 'lambda':
        return None
    kind = WorkflowSpec if key[0] == 'child' else ActivitySpec
    made_from = getattr(part.proxy, 'hinted', None)
    specs = [
        spec
        for spec in declared(made_from if isinstance(made_from, type) else None)
        if isinstance(spec, kind) and (spec.name, spec.version) == key[1:]
    ]
    if not specs:
        return None
    nearest = max(_nearness(spec.cls, part.owner) for spec in specs)
    if not nearest and not isinstance(made_from, type):
        return None
    chosen = [spec for spec in specs if _nearness(spec.cls, part.owner) == nearest]
    places = {f'{spec.cls.__module__}.{spec.cls.__qualname__}' for spec in chosen}
    if len(places) > 1 and nearest == ELSEWHERE and not isinstance(made_from, type):
        part.rivals = tuple(sorted(places))  # perhaps they concern other workflows: only a call of the type needs one
        return None
    if len(places) > 1:
        raise TesterError(
            f'{" and ".join(sorted(places))} both declare the {key[0]} type {key[1]!r} version {key[2]!r}; say '
            f'which with stubs={{({key[1]!r}, {key[2]!r}): …}}'
        )
    return chosen[-1]


ELSEWHERE = 1
"""The nearness of a class in another module than the workflow."""


def _nearness(cls: type, owner: type) -> int:
    """How near a class is to the workflow that calls its type: in its scope, in its module, where imports find it."""
    if cls.__module__ != owner.__module__:
        return ELSEWHERE if _is_importable(cls) else 0
    return 3 if _scope(cls) == _scope(owner) else 2


def _is_importable(cls: type) -> bool:
    """Whether its module is loaded and has it: not so of a class of a script that was run and is gone."""
    return getattr(sys.modules.get(cls.__module__), cls.__qualname__.partition('.')[0], None) is not None


def _scope(cls: type) -> str:
    return cls.__qualname__.rpartition('.')[0]


def _default(kind: str, name: str, version: str) -> Spec:
    """A type of which no class is known, with what the decorators say unless told otherwise."""
    if kind == 'child':
        return WorkflowSpec(Workflow, name, version)
    return ActivitySpec(
        Activity,
        name,
        version,
        schedule_to_start=120,
        start_to_close=300,
        schedule_to_close=420,
        heartbeat=float('inf'),
    )


def _complete(spec: Any) -> Any:
    """A type with everything that SWF needs to start one."""
    given = {'task_list': spec.task_list or TASK_LIST}
    if isinstance(spec, WorkflowSpec):
        given['workflow_duration'] = MAX_SECONDS if spec.workflow_duration is None else spec.workflow_duration
        given['decision_duration'] = 60 if spec.decision_duration is None else spec.decision_duration
        given['child_policy'] = spec.child_policy or 'TERMINATE'
    return evolve(spec, **given)
