"""The look at a project: from the methods of its workflow classes on, through the functions that they call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from attrs import evolve

from genflow.tools.lint.determinism import Look, is_side_effect
from genflow.tools.lint.findings import Finding, passed
from genflow.tools.lint.fixing import applied
from genflow.tools.lint.losses import Losses, declarations
from genflow.tools.lint.project import Class, Function, Module, Project, dotted, own_nodes
from genflow.tools.lint.settings import Settings
from genflow.tools.lint.sources import read

__all__ = ['Finding', 'files_of', 'fix', 'lint_paths', 'lint_source', 'project_of']

NOT_WORKFLOW_CODE = frozenset({'__init_subclass__', '__class_getitem__', '__repr__'})
MAX_PASSES = 10


def lint_source(source: str, path: str = '<text>') -> list[Finding]:
    """What is wrong in one file, given as text.

    Raises:
        SyntaxError: It is no Python.
    """
    project = Project()
    project.add(Path(path), source)
    return _findings(project, Settings())


def lint_paths(paths: Iterable[str | Path], settings: Settings | None = None) -> list[Finding]:
    """What is wrong in files and folders, in the order of files and lines.

    Args:
        paths: Python files, or folders whose Python files are looked at.
        settings: Which rules; all unless given.

    Raises:
        OSError: A file cannot be read.
        SyntaxError: A file is no Python.
    """
    settings = settings or Settings()
    return _findings(project_of(paths, settings), settings)


def project_of(paths: Iterable[str | Path], settings: Settings) -> Project:
    """The modules below some paths, and those of the same packages that they import."""
    project = Project()
    for path in files_of(paths, settings):
        project.add(path, read(path).text)
    for module in list(project.modules.values()):
        _add_neighbours(project, module)
    return project


def files_of(paths: Iterable[str | Path], settings: Settings) -> list[Path]:
    """The Python files that some paths mean, without those that are excluded."""
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.rglob('*.py')) if path.is_dir() else [path]
        found += [file for file in inside if not _is_excluded(file, path, settings.exclude)]
    return list(dict.fromkeys(found))


def _is_excluded(file: Path, root: Path, patterns: Sequence[str]) -> bool:
    parts = file.relative_to(root).parts if file != root else (file.name,)
    hidden = any(part.startswith('.') or part in ('__pycache__', 'node_modules') for part in parts)
    return hidden or any(fnmatch(file.as_posix(), pattern) for pattern in patterns)


def _add_neighbours(project: Project, module: Module) -> None:
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
                path = place / '__init__.py' if place.is_dir() else place.with_suffix('.py')
                if name not in project.modules and path.is_file():
                    pending.append(project.add(path, read(path).text, name))


def _named_modules(module: Module) -> Iterator[str]:
    """The modules that the imports of a module may name: what is imported may be one, or stand in one."""
    for full in module.imports.values():
        yield full
        yield full.rpartition('.')[0] or full


def _findings(project: Project, settings: Settings) -> list[Finding]:
    by_path: dict[str, list[Finding]] = {str(module.path): [] for module in project.modules.values()}
    once: dict[tuple[str, int, int, str], Finding] = {}
    for finding in _all(project):  # a function may be looked at several times, by what is given to it
        once.setdefault((finding.path, finding.line, finding.column, finding.code), finding)
    for finding in once.values():
        by_path.setdefault(finding.path, []).append(finding)
    left: list[Finding] = []
    for module in project.modules.values():
        left += passed(module, by_path[str(module.path)])
    wanted = [finding for finding in left if settings.wants(finding)]
    return sorted(wanted, key=lambda finding: (finding.path, finding.line, finding.column, finding.code))


def _all(project: Project) -> Iterator[Finding]:
    for module in list(project.modules.values()):
        yield from declarations(project, module)
    seen: set[tuple[int, int, frozenset[str]]] = set()
    for cls in [cls for module in project.modules.values() for cls in module.every_class]:
        if project.is_workflow(cls):
            yield from _class(project, cls, seen)


def _class(project: Project, cls: Class, seen: set[tuple[int, int, frozenset[str]]]) -> Iterator[Finding]:
    recorded = _recorded(project, cls)
    for member in project.family(cls):
        if not project.is_workflow(member):
            continue
        for method in member.methods.values():
            if method.name in NOT_WORKFLOW_CODE or _is_query(method) or method.name in recorded:
                continue
            yield from Losses(project, method, cls).findings()
            yield from _followed(project, method, cls, seen)


def _followed(
    project: Project, method: Function, cls: Class, seen: set[tuple[int, int, frozenset[str]]]
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
        look = Look(project, function, owner, chain, sets)
        yield from look.findings()
        is_mixin = function.cls is not None and not project.is_workflow(function.cls)
        if owner is not None and (is_mixin or function.given_self is not None):
            yield from Losses(project, function, owner, chain).findings()
        for target, call in look.calls:
            is_activity = target.cls is not None and project.is_activity(target.cls)
            if is_activity or target.module.name.partition('.')[0] == 'genflow':
                continue
            same = target.cls is not None and owner is not None and target.cls in project.family(owner)
            given = look.self_given(target, call)
            inner = target if given is None else evolve(target, given_self=given)
            kept = owner if same or given is not None else None
            pending.append((inner, kept, (*chain, inner.qualname), look.sets_given(inner, call)))


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


def fix(paths: Iterable[str | Path], settings: Settings | None = None) -> int:
    """Applies all automatic fixes in place; returns the number of changes."""
    settings = settings or Settings()
    made = 0
    for _ in range(MAX_PASSES):  # a fix may uncover another one at the same place
        done = 0
        for path, findings in _by_path(lint_paths(paths, settings)).items():
            source = read(Path(path))
            mended, count = applied(source.text, [finding.fix for finding in findings if finding.fix])
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
