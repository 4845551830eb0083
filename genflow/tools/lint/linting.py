"""The look at a project: from the methods of its workflow classes on, through the functions that they call."""

from __future__ import annotations

import ast
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import evolve

from genflow.tools.lint.checks.declarations import declarations
from genflow.tools.lint.checks.determinism import Look
from genflow.tools.lint.checks.losses import Losses
from genflow.tools.lint.checks.method import Method
from genflow.tools.lint.checks.scope import Scope
from genflow.tools.lint.checks.sets import Sets
from genflow.tools.lint.code.modules import Class, Function, Module
from genflow.tools.lint.code.project import Project
from genflow.tools.lint.code.reading import place_of
from genflow.tools.lint.code.sources import read
from genflow.tools.lint.code.syntax import dotted, is_side_effect, own_nodes
from genflow.tools.lint.findings import Finding, passed
from genflow.tools.lint.fixing import applied
from genflow.tools.lint.looked_at import LookedAt
from genflow.tools.lint.settings import Settings

__all__ = ['Finding', 'files_of', 'fix', 'lint_paths', 'lint_source']

NOT_WORKFLOW_CODE = frozenset({'__init_subclass__', '__class_getitem__', '__repr__'})
NOT_OF_THE_PROJECT = frozenset({'__pycache__', 'node_modules', 'site-packages'})
MAX_PASSES = 10


def lint_source(source: str, path: str = '<text>') -> list[Finding]:
    """What is wrong in one file, given as text.

    Raises:
        SyntaxError: It is no Python.
    """
    project = Project()
    project.add(Path(path), source)
    return _findings([project], Settings())


def lint_paths(
    paths: Iterable[str | Path], settings: Settings | None = None, classes: Mapping[Path, str] | None = None
) -> list[Finding]:
    """What is wrong in files and folders, and in what their workflows call, in the order of files and lines.

    Args:
        paths: Python files, or folders whose Python files are looked at.
        settings: Which rules; all unless given.
        classes: By file, the only workflow class that is looked at there.

    A file that cannot be read, or is no Python, is a finding, too, which only ``exclude`` lets pass.
    """
    settings = settings or Settings()
    unread: dict[Path, Finding] = {}
    found = _findings(_projects(paths, settings, unread), settings, classes or {})
    return sorted([*found, *unread.values()], key=_place)


def _projects(paths: Iterable[str | Path], settings: Settings, unread: dict[Path, Finding]) -> list[Project]:
    """The modules below some paths, and those beside them that they import; ``unread`` receives the others.

    Modules of different folders that have the same name are in different projects, each with all of its folder.
    """
    roots: dict[Path, dict[str, Path]] = {}
    for path in files_of(paths, settings):
        root, name = place_of(path)
        roots.setdefault(root, {})[name] = path
    projects: list[Project] = []
    for files in roots.values():
        project = next((one for one in projects if not set(files) & set(one.modules)), None)
        if project is None:
            project = Project()
            projects.append(project)
        for name, path in files.items():
            _add(project, path, name, unread)
    for project in projects:
        for module in list(project.modules.values()):
            _add_neighbours(project, module, unread)
    for path in list(filter(settings.excludes, unread)):
        del unread[path]
    return projects


def _add(
    project: Project, path: Path, name: str, unread: dict[Path, Finding], *, is_asked: bool = True
) -> Module | None:
    """Reads a module, unless there is a reason why it cannot be read, which is then in ``unread``."""
    try:
        return project.add(path, read(path).text, name, is_asked=is_asked)
    except SyntaxError as error:
        line, column, text = error.lineno or 1, error.offset or 1, f'cannot be read as Python: {error.msg}'
    except OSError as error:
        line, column, text = 1, 1, f'cannot be read: {error.strerror}'
    unread[path] = Finding(str(path), line, column, 'G901', text)
    return None


def files_of(paths: Iterable[str | Path], settings: Settings) -> list[Path]:
    """The Python files that some paths mean, without those that are excluded."""
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(_below(path)) if path.is_dir() else [path]
        found += [file for file in inside if not settings.excludes(file)]
    return list(dict.fromkeys(found))


def _below(folder: Path) -> Iterator[Path]:
    """The Python files below a folder, but for hidden folders, environments and what tools put there."""
    for top, folders, files in os.walk(folder):
        here = Path(top)
        if here != folder and (here / 'pyvenv.cfg').exists():
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith('.') and name not in NOT_OF_THE_PROJECT]
        yield from (here / name for name in files if name.endswith('.py') and not name.startswith('.'))


def _add_neighbours(project: Project, module: Module, unread: dict[Path, Finding]) -> None:
    """Reads the files beside a module that it imports, so that calls are followed into them."""
    pending = [module]
    while pending:
        current = pending.pop()
        folder = current.path.parent
        root = folder
        for _ in range(current.name.count('.') + (current.path.name == '__init__.py')):
            root = root.parent
        for name in sorted({*_named_modules(current), *current.stars}):
            for base in (root, folder):
                place = base.joinpath(*name.split('.'))
                path = place / '__init__.py' if os.path.isdir(place) else place.with_suffix('.py')  # noqa: PTH112 - any name
                if name in project.modules or path in unread or not os.path.isfile(path):  # noqa: PTH113 - as above
                    continue
                added = _add(project, path, name, unread, is_asked=False)
                if added is not None:
                    pending.append(added)


def _named_modules(module: Module) -> Iterator[str]:
    """The modules that the imports of a module may name: what is imported may be one, or stand in one."""
    for full in module.imports.values():
        yield full
        yield full.rpartition('.')[0] or full


def _findings(
    projects: Sequence[Project], settings: Settings, classes: Mapping[Path, str] | None = None
) -> list[Finding]:
    once: dict[tuple[str, int, int, str], Finding] = {}
    looked_at: defaultdict[Path, LookedAt] = defaultdict(LookedAt)
    for finding in (one for project in projects for one in _all(project, classes or {}, looked_at)):
        # a function may be looked at several times, by what is given to it
        once.setdefault((finding.path, finding.line, finding.column, finding.code), finding)
    by_path = _by_path(once.values())
    modules = {str(module.path): module for project in projects for module in project.modules.values()}
    is_partial = any(_is_partial(project, classes or {}) for project in projects)
    left: list[Finding] = []
    for path, module in modules.items():
        known = looked_at[module.path] if module.is_asked and not is_partial else None
        left += passed(module, by_path.get(path, []), known)
    return sorted((one for one in left if one.code == 'G901' or settings.wants(one)), key=_place)


def _is_partial(project: Project, classes: Mapping[Path, str]) -> bool:
    """Whether a workflow class was not looked at, in a file where only another one was asked for."""
    return any(
        classes.get(module.path, cls.name) != cls.name and project.is_workflow(cls)
        for module in project.modules.values()
        for cls in module.every_class
    )


def _place(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, finding.column, finding.code


def _all(project: Project, classes: Mapping[Path, str], looked_at: defaultdict[Path, LookedAt]) -> Iterator[Finding]:
    asked = [module for module in project.modules.values() if module.is_asked]
    for module in asked:
        yield from declarations(project, module)
    seen: set[tuple[int, int, frozenset[str]]] = set()
    for cls in [cls for module in asked for cls in module.every_class]:
        if project.is_workflow(cls) and classes.get(cls.module.path, cls.name) == cls.name:
            try:
                yield from _class(project, cls, seen, looked_at)
            except RecursionError:
                text = f'{cls.name} is nested too deeply to be checked: split its longest expression or chain of elif'
                yield Finding.in_module(cls.module, cls.node, 'G901', text)


def _class(
    project: Project,
    cls: Class,
    seen: set[tuple[int, int, frozenset[str]]],
    looked_at: defaultdict[Path, LookedAt],
) -> Iterator[Finding]:
    recorded = _recorded(project, cls)
    for member in project.family(cls):
        if not project.is_workflow(member):
            continue
        looked_at[member.module.path].add(member.node, is_method=True)
        for method in member.methods.values():
            if method.name in NOT_WORKFLOW_CODE or _is_query(method) or method.name in recorded:
                continue
            yield from Losses(Method(project, method, cls)).findings()
            looked_at[method.module.path].add(method.node, is_method=True)
            yield from _followed(project, method, cls, seen, looked_at)


def _followed(
    project: Project,
    method: Function,
    cls: Class,
    seen: set[tuple[int, int, frozenset[str]]],
    looked_at: defaultdict[Path, LookedAt],
) -> Iterator[Finding]:
    """What is wrong in a method and in what it calls."""
    pending: list[tuple[Function, Class | None, tuple[str, ...], frozenset[str]]]
    pending = [(method, cls, (method.qualname,), frozenset())]
    while pending:
        function, owner, chain, sets = pending.pop(0)
        key = (id(function.node), id(owner), sets)
        if key in seen:
            continue
        seen.add(key)
        scope = Scope(project, function, owner, chain)
        look = Look(scope, Sets(scope, sets))
        yield from look.findings()
        is_mixin = function.cls is not None and not project.is_workflow(function.cls)
        is_method = owner is not None and (is_mixin or function.given_self is not None)
        looked_at[function.module.path].add(function.node, is_method=is_method)
        if owner is not None and is_method:
            yield from Losses(Method(project, function, owner, chain)).findings()
        for target, call in look.followed.calls:
            is_activity = target.cls is not None and project.is_activity(target.cls)
            if is_activity or target.module.name.partition('.')[0] == 'genflow':
                continue
            same = target.cls is not None and owner is not None and target.cls in project.family(owner)
            given = scope.self_given(target, call)
            inner = target if given is None else evolve(target, given_self=given)
            kept = owner if same or given is not None else None
            pending.append((inner, kept, (*chain, inner.qualname), look.sets.given_by(inner, call)))


def _recorded(project: Project, cls: Class) -> set[str]:
    """The methods that are handed to ``self.side_effect``, and nothing else: what they give is recorded."""
    handed: dict[str, list[bool]] = {}
    for member in project.family(cls):
        for method in member.methods.values():
            recorded = {id(one) for node in own_nodes(method.node) if is_side_effect(node) for one in ast.walk(node)}
            for node in own_nodes(method.node):
                if isinstance(node, ast.Attribute) and dotted(node.value) == method.self_name:
                    handed.setdefault(node.attr, []).append(id(node) in recorded)
    return {name for name, places in handed.items() if all(places)}


def _is_query(method: Function) -> bool:
    """Queries are asked live and never replayed; they may look at the clock."""
    return any(isinstance(d, ast.Name) and d.id == 'query' for d in method.node.decorator_list)


# mending


def fix(
    paths: Sequence[str | Path], settings: Settings | None = None, classes: Mapping[Path, str] | None = None
) -> int:
    """Applies the automatic fixes in place, to no other files than these; returns the number of changes."""
    settings = settings or Settings()
    asked = {str(path) for path in files_of(paths, settings)}
    made = 0
    for _ in range(MAX_PASSES):  # a fix may uncover another one at the same place
        done = 0
        for path, findings in _by_path(lint_paths(paths, settings, classes)).items():
            if path not in asked:
                continue
            fixes = [finding.fix for finding in findings if finding.fix]
            if not fixes:
                continue
            source = read(Path(path))
            mended, count = applied(source.text, fixes)
            if count:
                source.write(Path(path), mended)
            done += count
        made += done
        if not done:
            break
    return made


def _by_path(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.path, []).append(finding)
    return found
