"""What goes in comes out: a property over random types of everything that hints may ask for."""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from itertools import count
from typing import Literal, NamedTuple, Optional, Union
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genflow import Activity, ActivityProxy

pytest.importorskip('cattrs')


class Colour(Enum):
    RED = 'red'
    BLUE = 'blue'


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass(frozen=True)
class Tree:
    value: int
    children: list[Tree] = dataclasses.field(default_factory=list)
    left: Optional['Tree'] = None  # noqa: UP037, UP045 - as people write it


@attrs.frozen
class Chain:
    when: date
    rest: 'Chain | None' = None  # noqa: UP037 - likewise


class Pair(NamedTuple):
    colour: Colour
    when: time


def unfolded(value):
    """A time without ``fold``, which ISO 8601 cannot say."""
    return value.replace(fold=0)


times = st.times().map(unfolded)
zones = st.just(timezone.utc) | st.integers(-720, 720).map(lambda minutes: timezone(timedelta(minutes=minutes)))
texts = st.text(max_size=5)
trees = st.recursive(
    st.builds(Tree, st.integers()),
    lambda inner: st.builds(Tree, st.integers(), st.lists(inner, max_size=2), st.none() | inner),
    max_leaves=4,
)
chains = st.recursive(st.builds(Chain, st.dates()), lambda inner: st.builds(Chain, st.dates(), inner), max_leaves=3)

HASHABLE = [
    (str, texts),
    (int, st.integers()),
    (bool, st.booleans()),
    (date, st.dates()),
    (UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
    (Size, st.sampled_from(Size)),
    (Literal[Colour.RED, 'x'], st.sampled_from([Colour.RED, 'x'])),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (time, times),
    (datetime, (st.datetimes(timezones=zones) | st.datetimes()).map(unfolded)),
]
LEAVES = [
    *HASHABLE,
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (type(None), st.none()),
    (bytes, st.binary(max_size=5)),
    (timedelta, st.integers(-(10**12), 10**12).map(lambda n: timedelta(microseconds=n))),
    (Tree, trees),
    (Chain, chains),
    (Pair, st.builds(Pair, st.sampled_from(Colour), times)),
]

numbers = count()


def fields(members):
    return {f'f{place}': member for place, member in enumerate(members)}


def of_dataclass(*members):
    named = fields(members)
    cls = dataclasses.make_dataclass(f'D{next(numbers)}', [(name, hint) for name, (hint, _) in named.items()])
    return cls, st.builds(cls, **{name: values for name, (_, values) in named.items()})


def of_attrs(*members):
    named = fields(members)
    cls = attrs.make_class(f'A{next(numbers)}', {name: attrs.field(type=hint) for name, (hint, _) in named.items()})
    return cls, st.builds(cls, **{name: values for name, (_, values) in named.items()})


def of_named_tuple(*members):
    named = fields(members)
    cls = NamedTuple(f'N{next(numbers)}', [(name, hint) for name, (hint, _) in named.items()])
    return cls, st.builds(cls, **{name: values for name, (_, values) in named.items()})


def of_union(*members):
    """A union of kinds that JSON keeps apart: the shapes around the members differ."""
    (one, ones), (other, others) = members
    hint = Union[list[one], dict[str, other], date, int]  # noqa: UP007 - of variables
    values = st.lists(ones, max_size=2) | st.dictionaries(texts, others, max_size=2) | st.dates() | st.integers()
    return hint, values


ONE = [
    lambda hint, values: (list[hint], st.lists(values, max_size=3)),
    lambda hint, values: (tuple[hint, ...], st.lists(values, max_size=3).map(tuple)),
    lambda hint, values: (Union[hint, None], st.none() | values),  # noqa: UP007 - of a variable
    lambda hint, values: (dict[str, hint], st.dictionaries(texts, values, max_size=3)),
]
TWO = [
    lambda one, other: (tuple[one[0], other[0]], st.tuples(one[1], other[1])),
    of_dataclass,
    of_attrs,
    of_named_tuple,
    of_union,
]


@st.composite
def typed(draw, depth=3):
    """A hint, and the strategy of its values."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(LEAVES))
    kind = draw(st.sampled_from(['one', 'two', 'keys', 'set']))
    if kind == 'one':
        return draw(st.sampled_from(ONE))(*draw(typed(depth=depth - 1)))
    if kind == 'two':
        return draw(st.sampled_from(TWO))(draw(typed(depth=depth - 1)), draw(typed(depth=depth - 1)))
    key, keys = draw(st.sampled_from(HASHABLE))
    if kind == 'set':
        return draw(
            st.sampled_from([(set[key], st.sets(keys, max_size=3)), (frozenset[key], st.frozensets(keys, max_size=3))])
        )
    hint, values = draw(typed(depth=depth - 1))
    return dict[key, hint], st.dictionaries(keys, values, max_size=3)


def names_of(value):
    found = attrs.fields(type(value)) if attrs.has(type(value)) else dataclasses.fields(value)
    return [field.name for field in found]


def described(value):
    """A value with its types, and sets in one order."""
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, sorted(map(repr, map(described, value)))
    if isinstance(value, dict):
        return 'dict', sorted((repr(described(key)), described(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [described(item) for item in value]
    if dataclasses.is_dataclass(value) or attrs.has(type(value)):
        return type(value).__name__, [described(getattr(value, name)) for name in names_of(value)]
    return type(value).__name__, repr(value)


@given(st.data())
def test_a_value_of_any_type_comes_out_as_it_went_in(data):
    hint, values = data.draw(typed())
    value = data.draw(values)

    class Takes(Activity):
        def run(self, value, *more, **named):
            return value

    Takes.run.__annotations__ = {'value': hint, 'more': hint, 'named': hint, 'return': hint}
    plain = ActivityProxy(name='Takes', version='1')
    args, kwargs = Takes()._deserialize_arguments(plain._serialize_arguments(value, value, key=value))
    result = Takes()._deserialize_result(Takes()._serialize_result(value))
    for found in (*args, kwargs['key'], result):
        assert described(found) == described(value)


Point = namedtuple('Point', 'x y')


def test_an_untyped_named_tuple_comes_out_as_one():
    class Takes(Activity):
        def run(self, value: Point) -> None:
            return None

    assert Takes()._deserialize_arguments('[[[1,"a"]],{}]')[0] == [Point(1, 'a')]
