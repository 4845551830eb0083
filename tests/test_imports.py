"""The rooms of the house and what they may import: read from the sources, and tried in fresh interpreters."""

from __future__ import annotations

import ast
import functools
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(importlib.util.find_spec('genflow').submodule_search_locations[0])
ROOMS = ('core', 'swf', 'local', 'insight', 'telemetry', 'testing', 'tools')
OUTSIDE_WORLD = {
    'asyncio', 'concurrent', 'ftplib', 'http', 'io', 'multiprocessing', 'os', 'pathlib', 'secrets', 'select',
    'selectors', 'shutil', 'signal', 'socket', 'subprocess', 'tempfile', 'threading', 'time', 'urllib',
}  # fmt: skip
CLIENTS = {'boto', 'boto3', 'botocore'}
NEVER = {
    'core': {*OUTSIDE_WORLD, *CLIENTS, 'sqlite3', 'venusian', 'click', 'rich'}
    | {'genflow.swf', 'genflow.local', 'genflow.testing', 'genflow.tools'},
    'swf': {'sqlite3', 'click', 'rich', 'genflow.local', 'genflow.testing', 'genflow.tools'},
    'local': {'boto3', 'venusian', 'click', 'rich', 'genflow.core', 'genflow.swf', 'genflow.testing', 'genflow.tools'},
    'insight': {*OUTSIDE_WORLD, *CLIENTS, 'sqlite3', 'venusian', 'click', 'rich', 'linecache'}
    | {'genflow.local', 'genflow.testing', 'genflow.tools'},
    'telemetry': {*CLIENTS, 'sqlite3', 'venusian', 'click', 'rich', 'opentelemetry.sdk'}
    | {'genflow.swf', 'genflow.local', 'genflow.testing', 'genflow.tools'},
    'testing': {'genflow.tools', 'click', 'rich'},
    'tools': set(),
}


def modules_of(room):
    return sorted((PACKAGE / room).rglob('*.py')) if (PACKAGE / room).is_dir() else []


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imports_of(path):
    package = name_of(path) if path.name == '__init__.py' else name_of(path).rpartition('.')[0]
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name('.' * node.level + (node.module or ''), package)
            yield base
            yield from (f'{base}.{alias.name}' for alias in node.names)


WIRE = {'genflow.swf.wire.events'}
"""All that insight knows of swf: the tables of the wire."""


@pytest.mark.parametrize('path', modules_of('insight'), ids=name_of)
def test_insight_knows_of_swf_only_what_events_look_like(path):
    names = {name for name in imports_of(path) if within(name, {'genflow.swf'})}
    assert [name for name in names if not within(name, WIRE)] == []


def within(name, forbidden):
    return any(name == one or name.startswith(f'{one}.') for one in forbidden)


@pytest.mark.parametrize('room', ROOMS)
def test_a_module_imports_only_what_its_room_may(room):
    wrong = [
        f'{name_of(path)} -> {name}'
        for path in modules_of(room)
        for name in imports_of(path)
        if within(name, NEVER[room])
    ]
    assert modules_of(room)
    assert wrong == []


def pictures():
    spec = importlib.util.spec_from_file_location('pictures', PACKAGE.parent / 'docs' / 'pictures.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PICTURES = pictures()
MODULES = PICTURES.modules(PACKAGE)
PLACES = PICTURES.places()


@functools.cache
def arrows(name):
    """What a module imports of the package, anywhere in it and for type checkers too."""
    return {target for target, _ in PICTURES.imports_of(MODULES[name], MODULES)} - {name}


def test_a_folder_imports_only_from_those_before_it():
    places = {name: place for name in MODULES if (place := PICTURES.place(name)) in PLACES}
    wrong = [
        f'{name} -> {target}: {here} comes before {places[target]}'
        for name, here in places.items()
        for target in arrows(name)
        if target in places
        and target.split('.')[1:2] == name.split('.')[1:2]
        and PLACES.index(places[target]) > PLACES.index(here)
    ]
    assert wrong == []


@pytest.mark.parametrize('folder', [folder for folder in PICTURES.ORDER if '/' in folder])
def test_the_folders_inside_of_a_folder_have_an_order_too(folder):
    prefixes = {'genflow.' + place.replace('/', '.'): number for number, place in enumerate(PICTURES.places(folder))}

    def rank(name):
        return next((number for prefix, number in prefixes.items() if within(name, {prefix})), None)

    ranks = {name: rank(name) for name in MODULES}
    wrong = [
        f'{name} -> {target}'
        for name, here in ranks.items()
        for target in arrows(name)
        if here is not None and (there := ranks.get(target)) is not None and there > here
    ]
    assert set(ranks.values()) == {*prefixes.values(), None}
    assert wrong == []


LAZY = {'genflow', 'genflow.swf.client', 'genflow.swf.worker', 'genflow.testing'}
"""Packages that import what they export when it is asked for."""


def circle_from(name, ended):
    """A path of imports that leads from a module back to it or to one on the way, or ``None``."""
    path, pending = [name], [iter(sorted(arrows(name) - LAZY))]
    while path:
        target = next(pending[-1], None)
        if target is None:
            ended.add(path.pop())
            pending.pop()
        elif target in path:
            return [*path[path.index(target) :], target]
        elif target not in ended:
            path.append(target)
            pending.append(iter(sorted(arrows(target) - LAZY)))
    return None


def test_no_modules_import_each_other_in_a_circle():
    """Imports for type checkers and imports inside of functions count: neither hides a circle."""
    ended = set()
    circles = (circle for name in sorted(MODULES) if name not in ended and (circle := circle_from(name, ended)))
    circle = next(circles, [])
    assert circle == [], ' -> '.join(circle)


def loaded_by(statement):
    """The modules that a fresh interpreter has loaded after a statement."""
    code = f'import sys; {statement}; print(*sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('statement', 'loaded', 'not_loaded'),
    [
        ('import genflow', {'genflow'}, {'genflow.core', 'attr', 'logging'}),
        (
            'from genflow import Workflow',
            {'genflow.core'},
            CLIENTS | {'sqlite3', 'venusian', 'genflow.swf', 'genflow.local'},
        ),
        ('import genflow.swf', {'genflow.swf'}, CLIENTS | {'sqlite3', 'venusian', 'genflow.swf.scanner'}),
        ('import genflow.swf.scanner', {'venusian'}, CLIENTS | {'sqlite3', 'genflow.local', 'genflow.tools'}),
        ('import genflow.swf.boilerplate', {'venusian'}, {'sqlite3', 'genflow.local', 'genflow.tools'}),
        (
            'from genflow.insight import replayed',
            {'genflow.insight.code'},
            CLIENTS | {'sqlite3', 'venusian', 'genflow.local', 'click'},
        ),
        ('import genflow.local', {'genflow.local'}, CLIENTS | {'sqlite3', 'venusian', 'genflow.swf', 'genflow.tools'}),
        ('from genflow.local import LocalSWF', {'sqlite3'}, {'boto3', 'venusian', 'genflow.swf', 'genflow.tools'}),
    ],
)
def test_an_import_brings_its_room_and_nothing_else(statement, loaded, not_loaded):
    modules = loaded_by(statement)
    assert loaded - modules == set()
    assert not_loaded & modules == set()
