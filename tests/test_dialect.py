"""One dialect in the whole package: absolute imports, ``__all__``, and where the meaning of a constant stands."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

PACKAGE = Path(importlib.util.find_spec('genflow').submodule_search_locations[0])
SOURCES = {
    '.'.join(path.relative_to(PACKAGE.parent).with_suffix('').parts).removesuffix('.__init__'): path.read_text('utf-8')
    for path in sorted(PACKAGE.rglob('*.py*'))
    if path.suffix in ('.py', '.pyi')
}
IMPORTED = re.compile(r'^ *from (genflow[\w.]*) import (?:\(([^)]*)\)|(.*))$', re.MULTILINE)
ALL = re.compile(r'^__all__ = (\[[^\]]*\])', re.MULTILINE)


def lines_with(pattern):
    return [
        f'{name}: {line}' for name, source in SOURCES.items() for line in source.splitlines() if re.match(pattern, line)
    ]


def test_imports_are_absolute():
    assert lines_with(r' *from \.') == []


def test_the_meaning_of_a_constant_stands_below_it():
    assert lines_with(r' *#:') == []


def test_attrs_classes_are_made_by_the_bare_names():
    assert lines_with(r'[^#]*\battrs\.(define|field|frozen|Factory)\b') == []


def test_what_other_modules_import_stands_in_all():
    public = {name: set(ast.literal_eval(found[1])) for name in SOURCES if (found := ALL.search(SOURCES[name]))}
    missing = [
        f'{module} lacks {name!r} in __all__, which {importer} imports'
        for importer, source in SOURCES.items()
        for module, several, one in IMPORTED.findall(source)
        for name in re.findall(r'(\w+)(?: as \w+)?', several or one.partition('#')[0])
        if f'{module}.{name}' not in SOURCES and not name.startswith('_')
        if name not in public.get(module, ())
    ]
    assert missing == []
