"""Draws the pictures of the design pages from the imports of the package.

``python docs/pictures.py`` writes them; with ``--check`` it only says which ones are out of date, and exits with 1.

Two kinds: the folders as a matrix, in which every mark is left of the diagonal if the order of the folders holds; and
the files that a page names, in its order, with an arc for each import between them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'genflow'
DESIGN = ROOT / 'docs' / 'design'

ORDER: dict[str, tuple[str, ...]] = {
    'core': ('durations', 'text', 'errors', 'protocols', 'model', 'payloads', 'tasks', 'calls', 'authoring', 'engine'),
    'swf': ('scanner', 'wire', 'aws', 'client', 'tasks', 'worker', 'boilerplate'),
    'local': (
        'errors',
        'clock',
        'json_text',
        'requests',
        'state',
        'rules',
        'store',
        'operations',
        'engine',
        'deferring',
        'http',
        'shared',
        'client',
    ),
    'insight': (),
    'telemetry': (
        'instruments',
        'views',
        'measuring',
        'metrics',
        'otel_metrics',
        'tracing',
        'records',
    ),
    'testing': (
        'assertrepr',
        'manual',
        'activity_runs',
        'histories',
        'tester',
        'replayer',
        'explorer',
        'pytest_plugin',
    ),
    'testing/explorer': (
        'settings',
        'places',
        'inputs',
        'playing',
        'equivalence',
        'searching',
        'judging',
        'reporting',
        'exploration',
    ),
    'tools': (
        'current_folder',
        'text',
        'targets',
        'executions',
        'lint',
        'pictures',
        'run',
        'shadow',
        'dashboard',
        'dev',
        'cli',
    ),
    'tools/lint': (
        'rules',
        'code',
        'fixing',
        'looked_at',
        'findings',
        'checks',
        'settings',
        'linting',
        'output',
        'flake8',
    ),
    'tools/dashboard': ('events', 'data', 'site', 'pages', 'app', 'serving'),
    'tools/cli': ('exits', 'settings', 'streams', 'services', 'executions', 'checking', 'processes', 'main'),
}
"""The rooms, and in each its folders and single files: each imports only from those before it.

So it is inside of a folder that is listed by itself.
"""

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.mark { fill: #0969da } .bad { fill: #cf222e } .line { stroke: #d0d7de } .arc { stroke: #0969da; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .line { stroke: #30363d } .mark { fill: #58a6ff } .arc { stroke: #58a6ff }
}
"""


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in [*sorted(package.rglob('*.pyi')), *sorted(package.rglob('*.py'))]:
        parts = path.relative_to(package.parent).with_suffix('').parts
        found['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return found


def imports_of(path: Path, known: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The modules of the package that a file imports, for type checkers too, each with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition('.')[0] == 'genflow':
            for alias in node.names:
                name = f'{node.module}.{alias.name}'
                yield (name if name in known else node.module), node.lineno
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name in known)


def place(module: str) -> str | None:
    """The folder or single file of :data:`ORDER` to which a module belongs: ``core/engine``, ``insight``."""
    parts = module.split('.')
    if len(parts) < 2 or parts[1] not in ORDER:  # noqa: PLR2004 - a module of no room
        return None
    if not ORDER[parts[1]]:
        return parts[1]
    return f'{parts[1]}/{parts[2]}' if len(parts) > 2 else None  # noqa: PLR2004 - the room itself


def places(folder: str | None = None) -> list[str]:
    """The folders and single files of :data:`ORDER`, in order: of all rooms, or of one folder."""
    chosen = [room for room in ORDER if '/' not in room] if folder is None else [folder]
    return [f'{room}/{name}' if name else room for room in chosen for name in ORDER[room] or ('',)]


def folder_imports() -> set[tuple[str, str]]:
    """Pairs of folders of which the first imports from the second."""
    known = modules()
    return {
        (one, other)
        for name, path in known.items()
        for target, _ in imports_of(path, known)
        if (one := place(name)) and (other := place(target)) and one != other
    }


def folders_picture() -> str:
    """The matrix of the folders' imports, as SVG."""
    rows, size, left, top = places(), 16, 150, 130
    found = folder_imports()
    rows = [row for row in rows if any(row in pair for pair in found)]
    parts = []
    for number, row in enumerate(rows):
        y = top + number * size
        parts.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(row)}</text>')
        x = left + number * size + 12
        parts.append(f'<text transform="translate({x} {top - 8}) rotate(-90)">{escape(row)}</text>')
        parts.append(f'<line class="line" x1="{left}" x2="{left + len(rows) * size}" y1="{y}" y2="{y}"/>')
        for column, other in enumerate(rows):
            if (row, other) in found:
                kind = 'mark' if column < number else 'bad'
                parts.append(
                    f'<rect class="{kind}" x="{left + column * size + 3}" y="{y + 3}" width="10" height="10">'
                    f'<title>{escape(row)} imports from {escape(other)}</title></rect>'
                )
    side = len(rows) * size
    title = 'Folders of the package and their imports'
    return svg(left + side + 10, top + side + 10, title, parts)


def files_on(page: Path) -> list[str]:
    """The files of the package that a page names, in order, each once."""
    return list(dict.fromkeys(re.findall(r'`(genflow/[\w/]+\.py)`', page.read_text(encoding='utf-8'))))


def way_picture(page: Path) -> str:
    """The files that a page names, from top to bottom, with an arc for each import between them."""
    files = files_on(page)
    known = modules()
    names = {file: '.'.join(Path(file).with_suffix('').parts) for file in files}
    rows = {names[file]: number for number, file in enumerate(files)}
    height, left = 22, 330
    parts = []
    for number, file in enumerate(files):
        y = 24 + number * height
        parts.append(
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(file.removeprefix("genflow/"))}</text>'
        )
        parts.append(f'<circle class="mark" cx="{left}" cy="{y}" r="4"/>')
    for file in files:
        for target in sorted({name for name, _ in imports_of(ROOT / file, known)} & rows.keys()):
            one, other = rows[names[file]], rows[target]
            if one == other:
                continue
            reach = 14 * abs(one - other) ** 0.8
            y1, y2 = 24 + one * height, 24 + other * height
            parts.append(
                f'<path class="arc" d="M{left} {y1} C{left + reach:.0f} {y1} {left + reach:.0f} {y2} {left} {y2}">'
                f'<title>{escape(file)} imports {escape(target)}</title></path>'
            )
    return svg(left + 220, 30 + len(files) * height, 'Files in order, with their imports', parts)


def svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    body = '\n'.join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )


def pictures() -> dict[Path, str]:
    """Every picture of the design pages, by its file."""
    ways = ('decision-task', 'activity-task', 'exploration')
    drawn = {DESIGN / f'{name}.svg': way_picture(DESIGN / f'{name}.md') for name in ways}
    return {DESIGN / 'folders.svg': folders_picture(), **drawn}


def main(arguments: list[str]) -> int:
    """Write the pictures, or with ``--check`` say which are out of date."""
    stale = [file for file, text in pictures().items() if not file.exists() or file.read_text('utf-8') != text]
    if '--check' in arguments:
        for file in stale:
            print(f'{file.relative_to(ROOT)} is out of date: run `python3 dev.py python docs/pictures.py`')
        return 1 if stale else 0
    for file in stale:
        file.write_text(pictures()[file], encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
