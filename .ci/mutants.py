"""The small changes of a module that `mutate.py` tries: where they can be made, which are chosen, how each is made.

cosmic-ray knows the changes of operators, conditions, numbers, decorators and exceptions; the removal of a statement is
added here. A place is changed in one way only, chosen by the seed: of the seven other comparisons that could stand for
`<`, most are noticed by the same test.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import parso
from attrs import define
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

LEFT_OUT = (
    *('BinaryOperator_BitOr_', 'BinaryOperator_Pow_'),  # mostly hints, and two stars before arguments
    *('_Is', '_IsNot', 'ComparisonOperator_Is_', 'ComparisonOperator_IsNot_'),  # all but the two below
    *('_Invert', 'VariableReplacer', 'VariableInserter', 'ZeroIterationForLoop'),
)
"""How the names of operators end or begin that change nothing, or what a change beside them shows, too."""

REMOVED = ('expr_stmt', 'atom_expr', 'await', 'del_stmt', 'raise_stmt', 'yield_expr')
"""Kinds of statements that are removed: those that do something and bind no local name."""

REASONS = Path(__file__).with_name('equivalent_mutants.txt')
"""Changes that mean the same, each with its reason."""


class RemoveStatement(Operator):  # type: ignore[misc, unused-ignore]
    """Puts `pass` in the place of a call, an assignment to an attribute or an item, `del`, `raise` or `yield`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Give the place of the node if it is such a statement."""
        if node.parent is None or node.parent.type != 'simple_stmt' or node.type not in REMOVED:
            return
        text = node.get_code(include_prefix=False)
        bound = text.split('=')[0] if node.type == 'expr_stmt' else '.'
        acts = '.' in bound or '[' in bound or bound[-1:] in '+-*/|&'
        if acts and ':' not in bound and not text.startswith('log.'):  # a hint binds nothing
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Give what stands in its place."""
        statement = parso.parse('pass').children[0]  # type: ignore[no-untyped-call, unused-ignore]
        statement.get_first_leaf().prefix = node.get_first_leaf().prefix
        return statement

    @classmethod
    def examples(cls) -> tuple[()]:
        """Give none: cosmic-ray's own tests do not know this operator."""
        return ()


@define(frozen=True)
class Mutant:
    """One change of one place.

    Attributes:
        path: The module, from the checkout's root.
        line: Where the change begins.
        operator: The name of the operator that makes it.
        occurrence: Which of the operator's places in the module it is.
    """

    path: str
    line: int
    operator: str
    occurrence: int

    @property
    def key(self) -> str:
        """What one commit's mutants are told apart by."""
        return f'{self.path}:{self.line}:{self.operator}:{self.occurrence}'

    def applied(self, source: str) -> str:
        """Give the module's text with the change in it."""
        return str(mutate_code(source, operator(self.operator), self.occurrence))


def difference(source: str, changed: str) -> tuple[str, str]:
    """Give the lines that a change takes away, and those that it brings; all from the first one to the last."""
    old, new = source.splitlines(), changed.splitlines()
    above = shared(old, new)
    below = shared(old[above:][::-1], new[above:][::-1])
    before, after = (lines[above : len(lines) - below] for lines in (old, new))
    return ' '.join(line.strip() for line in before), ' '.join(line.strip() for line in after)


def shared(some: Iterable[str], others: Iterable[str]) -> int:
    """Count the lines with which both begin."""
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(some, others)))  # noqa: B905 - to the shorter


def operator(name: str) -> Operator:
    return RemoveStatement() if name == 'RemoveStatement' else get_operator(f'core/{name}')()


def operators() -> Iterator[str]:
    """Name the operators that are used."""
    yield 'RemoveStatement'
    for name in sorted(operator_names()):
        if not any(word in name if word.endswith('_') else name.endswith(word) for word in LEFT_OUT):
            yield name.removeprefix('core/')
    yield from ('ReplaceComparisonOperator_Is_IsNot', 'ReplaceComparisonOperator_IsNot_Is')


def mutants(root: Path, modules: Iterable[Path], seed: int, sample: int | None = None) -> list[Mutant]:
    """Give a mutant for each place of the modules, or for as many places as the sample has, in an order of the seed."""
    chance = random.Random(seed)
    places = [place for path in files(root, modules) for place in places_of(root, path)]
    chosen = places if sample is None or sample >= len(places) else chance.sample(places, sample)
    return [chance.choice(ways) for ways in chosen]


def files(root: Path, modules: Iterable[Path]) -> list[str]:
    """Name the modules in the folders, each once."""
    found: set[str] = set()
    for module in modules:
        paths = sorted((root / module).rglob('*.py')) if (root / module).is_dir() else [root / module]
        found.update(path.relative_to(root).as_posix() for path in paths)
    return sorted(found)


def places_of(root: Path, path: str) -> list[list[Mutant]]:
    """Give the mutants of a module by the place that they change."""
    source = (root / path).read_text(encoding='utf-8')
    nodes = list(ast_nodes(get_ast(source)))
    skipped = places_of_hints(source)
    places: dict[tuple[Any, ...], list[Mutant]] = {}
    for name in operators():
        made = operator(name)
        positions = ((node, place) for node in nodes for place in made.mutation_positions(node))
        for occurrence, (node, (start, end)) in enumerate(positions):
            if not is_idle(node) and not any(first <= start and end <= last for first, last in skipped):
                found = places.setdefault((start, end, name.split('_')[0]), [])
                found.append(Mutant(path, start[0], name, occurrence))
    return [places[place] for place in sorted(places)]


def is_idle(node: Any) -> bool:
    """Whether a change of the node means the same: a star in a signature, `repr=False`, `init=False`, `@overload`."""
    if getattr(node, 'value', '') == '*':
        return bool(node.parent.type != 'term')
    if node.parent is not None and node.parent.type == 'argument':
        return node.parent.children[0].get_code().strip() in ('repr', 'init')
    return bool(node.type == 'decorator' and node.get_code().strip() == '@overload')


def places_of_hints(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Give the places of hints, which no test can notice."""
    found = []
    for node in ast.walk(ast.parse(source)):
        hint = getattr(node, 'annotation', None) or getattr(node, 'returns', None)
        if hint is not None:
            found.append(((hint.lineno, hint.col_offset), (hint.end_lineno, hint.end_col_offset)))
    return found


def reasons(text: str) -> dict[tuple[str, str, str], str]:
    """Read the list of changes that mean the same: (path, line before, line after), and why.

    A reason is a comment, which holds for the changes below it up to the next empty line.
    """
    found, reason = {}, ''
    for line in text.splitlines():
        if line.startswith('#'):
            reason += line.lstrip('# ') + ' '
        elif line.strip():
            path, change = line.split(': ', 1)
            before, after = change.split(' ==> ')
            found[path, before.strip(), after.strip()] = reason.strip()
        else:
            reason = ''
    return found
