"""Values beyond JSON, by the hints of ``run``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import attrs
import pytest

from genflow import Activity, ActivityProxy, DefinitionError, Steps, Workflow
from genflow.core.model.registry import ActivitySpec, declare
from genflow.core.payloads.converting import converter

pytest.importorskip('cattrs')


class Colour(Enum):
    RED = 'red'


@attrs.frozen
class Item:
    name: str
    price: Decimal


@dataclass
class Order:
    id: UUID
    items: list[Item]
    placed: datetime
    colour: Colour = Colour.RED
    mark: bytes = b''


ORDER = Order(
    UUID(int=7),
    [Item('pen', Decimal('1.20'))],
    datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc),
    Colour.RED,
    b'\x00\xff',
)


class Price(Activity):
    def run(self, order: Order, pair: tuple[int, Decimal], *more: UUID, **named: Decimal) -> Order:
        return order


declare(ActivitySpec(Price, 'Price', '1'))


class Shop(Workflow):
    price = Price.proxy()
    plain = ActivityProxy(name='Price', version='1')

    def run(self, order: Order) -> Steps[Order]:
        return (yield from self.price(order, (1, Decimal(2))))


def test_what_a_proxy_writes_its_activity_reads_as_hinted():
    text = Shop.price._serialize_arguments(ORDER, (1, Decimal('2.5')), UUID(int=1), tip=Decimal('0.1'))
    args, kwargs = Price()._deserialize_arguments(text)
    assert args == [ORDER, (1, Decimal('2.5')), UUID(int=1)]
    assert kwargs == {'tip': Decimal('0.1')}


def test_a_plain_proxy_writes_the_same():
    given = (ORDER, (1, Decimal('2.5')))
    assert Shop.plain._serialize_arguments(*given) == Shop.price._serialize_arguments(*given)


def test_a_result_comes_back_as_the_class_hints_it():
    text = Price()._serialize_result(ORDER)
    assert Shop.price._deserialize_result(text) == ORDER


def test_the_input_of_a_workflow_is_structured_and_so_is_its_own_result():
    text = Shop()._serialize_arguments(ORDER)
    assert Shop()._deserialize_arguments(text) == ([ORDER], {})
    assert Shop()._deserialize_result(Shop()._serialize_result(ORDER)) == ORDER


def test_a_value_that_does_not_fit_names_the_argument_and_the_class():
    with pytest.raises(ValueError, match=r"argument 'order' of Price\.run does not fit its hint Order"):
        Price()._deserialize_arguments('[[{"id": 1}, [1, "2"]], {}]')


def test_sets_are_written_in_one_order_whatever_their_hashes():
    words = [f'word {number}' for number in range(20)]
    text = Shop.plain._serialize_arguments(set(words), [frozenset({3, 1, 2})])
    assert Shop.plain._serialize_arguments(sorted(words), [[1, 2, 3]]) == text


class Untyped(Activity):
    def run(self, value, other: list[dict[str, int | None]] | None = None):
        return value


def test_hints_that_json_fulfils_cost_and_change_nothing():
    assert Untyped()._deserialize_arguments('[[[1, 2]], {"other": [{"a": null}]}]') == (
        [[1, 2]],
        {'other': [{'a': None}]},
    )


class Unreadable(Activity):
    def run(self, value: NotThere) -> None:  # noqa: F821 - as if imported for type checkers only
        return value


def test_a_hint_that_cannot_be_read_has_no_effect():
    assert Unreadable()._deserialize_arguments('[[{"a": 1}], {}]') == ([{'a': 1}], {})


def test_it_turns_off_no_other_and_is_reported_once(caplog):
    class Partly(Activity):
        def run(self, value: NotThere, when: datetime) -> list[NotThere]:  # noqa: F821 - as above
            return value

    for _ in range(2):
        args, _ = Partly()._deserialize_arguments('[[{"a": 1}, "2026-01-02T03:04:00"], {}]')
        assert args == [{'a': 1}, datetime(2026, 1, 2, 3, 4)]  # noqa: DTZ001 - as it was written
    assert Partly()._deserialize_result('[1]') == [1]
    messages = [record.getMessage() for record in caplog.records]
    assert [message.partition(' of ')[2].partition(' of ')[0] for message in messages] == ['value', 'return']
    assert all('cannot be resolved' in message and 'NotThere' in message for message in messages)


class Opaque:
    """A class of which nobody knows how to make it."""


def test_a_hint_that_json_cannot_be_read_by_is_reported_once(caplog):
    class Odd(Activity):
        def run(self, value: Opaque, many: list[Opaque], when: datetime) -> None:
            return None

    for _ in range(2):
        args, _ = Odd()._deserialize_arguments('[[{"a": 1}, [2], "2026-01-02T03:04:00"], {}]')
        assert args == [{'a': 1}, [2], datetime(2026, 1, 2, 3, 4)]  # noqa: DTZ001 - as it was written
    assert ['cannot be applied' in record.getMessage() for record in caplog.records] == [True]


@dataclass
class Partial:
    """A dataclass of which one field's type is there for checkers only."""

    when: datetime
    other: NotThere  # noqa: F821 - as above


def test_the_same_holds_for_the_fields_of_a_class(caplog):
    class Takes(Activity):
        def run(self, value: Partial) -> None:
            return None

    text = '[[{"when": "2026-01-02T03:04:00", "other": [1]}], {}]'
    assert Takes()._deserialize_arguments(text) == ([Partial(datetime(2026, 1, 2, 3, 4), [1])], {})  # noqa: DTZ001
    assert ['Partial.other cannot be resolved' in record.getMessage() for record in caplog.records] == [True]


def test_classes_of_the_surrounding_function_and_class_are_found():
    @dataclass
    class Local:
        when: date

    class Takes(Activity):
        class Inner(Enum):
            ONE = 1

        def run(self, inner: Inner, local: Local) -> None:
            return Local(local)

    args, _ = Takes()._deserialize_arguments('[[1, {"when": "2026-01-02"}], {}]')
    assert args == [Takes.Inner.ONE, Local(date(2026, 1, 2))]


def test_keys_that_would_collide_once_written_are_refused():
    with pytest.raises(ValueError, match='like another one'):
        Shop.plain._serialize_arguments({date(2026, 1, 2): 1, '2026-01-02': 2})


def test_a_cyclic_object_is_refused():
    order = Order(UUID(int=1), [], datetime(2026, 1, 1, tzinfo=timezone.utc))
    order.items.append(order)
    with pytest.raises(ValueError, match='it contains itself'):
        Shop.plain._serialize_arguments(order)


def test_without_cattrs_a_hint_beyond_json_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cattrs.preconf.json', None)

    class Late(Activity):
        def run(self, when: datetime) -> None:
            return when

    with pytest.raises(DefinitionError, match=r'Late\.run hints when: .*install genflow\[typed\]'):
        Late()._deserialize_arguments('[["2026-01-01T00:00:00"], {}]')


def test_without_cattrs_a_value_beyond_json_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cattrs.preconf.json', None)
    with pytest.raises(TypeError, match=r'Decimal.*genflow\[typed\]'):
        Shop.plain._serialize_arguments(Decimal(1))


class Upper:
    """A transport with two of the five methods."""

    def serialize_result(self, value):
        return str(value).upper()

    def deserialize_result(self, text):
        return text.lower()


def test_a_transport_on_a_class_holds_for_its_proxies_too():
    class Shout(Activity):
        transport = Upper()

        def run(self, value):
            return value

    declare(ActivitySpec(Shout, 'UpperShout', '1'))
    assert Shout()._serialize_result('abc') == 'ABC'
    assert Shout.proxy()._deserialize_result('ABC') == 'abc'
    assert ActivityProxy(name='UpperShout', version='1', transport=Upper())._deserialize_result('ABC') == 'abc'


def test_a_proxy_of_an_undecorated_class_says_what_to_do():
    class Bare(Activity):
        def run(self):
            return None

    with pytest.raises(DefinitionError, match=r'Bare\.proxy\(\) needs a name and version: decorate'):
        Bare.proxy()


def test_a_key_that_is_nested_too_deep_to_be_read_is_text():
    deep = '[' * 100_000
    assert converter().structure({deep: 1}, dict[str | int, int]) == {deep: 1}
    with pytest.raises(ValueError, match='is not one of'):
        converter().structure({deep: 1}, dict[int, int])
