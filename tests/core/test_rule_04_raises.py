"""Rule 4: `raises=` brings the activity's own class back."""

from __future__ import annotations

import sys

import pytest

from genflow import (
    ActivityFailed,
    ActivityProxy,
    WorkflowProxy,
)
from genflow.core.payloads.hooks import encode

from .story import Story


class PaymentDeclined(Exception):
    def __init__(self, card, amount):
        super().__init__(card, amount)
        self.card = card
        self.amount = amount


class StolenCard(PaymentDeclined):
    pass


class Stubborn(Exception):
    def __init__(self):
        super().__init__('made of more than its arguments', 2)


def raising(*classes):
    return {'pay': ActivityProxy('Pay', '1', retry=0, raises=classes)}


def test_the_activitys_own_class_comes_back():
    def run(self):
        try:
            yield self.pay()
        except PaymentDeclined as error:
            cause = error.__cause__
            return [type(error).__name__, error.card, error.amount, type(cause).__name__, cause.task.number]

    story = Story(run, members=raising(PaymentDeclined))
    story.decide()
    story.failed(1, PaymentDeclined('visa', 5))
    assert story.decide() == ['complete ["PaymentDeclined","visa",5,"ActivityFailed",1]']


def test_the_class_of_a_base_comes_back_where_only_that_is_named():
    def run(self):
        try:
            yield self.pay()
        except PaymentDeclined as error:
            return [type(error).__name__, error.card]

    story = Story(run, members=raising(PaymentDeclined))
    story.decide()
    story.failed(1, StolenCard('visa', 5))
    assert story.decide() == ['complete ["PaymentDeclined","visa"]']


def test_the_most_derived_class_wins():
    def run(self):
        try:
            yield self.pay()
        except PaymentDeclined as error:
            return type(error).__name__

    story = Story(run, members=raising(PaymentDeclined, StolenCard))
    story.decide()
    story.failed(1, StolenCard('visa', 5))
    assert story.decide() == ['complete "StolenCard"']


@pytest.mark.parametrize(
    ('classes', 'error'),
    [((KeyError,), PaymentDeclined('visa', 5)), ((Stubborn,), Stubborn()), ((), KeyError('k'))],
    ids=['another class', 'arguments that do not fit', 'none named'],
)
def test_what_cannot_be_brought_back_stays_an_activity_failure(classes, error):
    def run(self):
        try:
            yield self.pay()
        except ActivityFailed:
            return 'as it is'

    story = Story(run, members=raising(*classes))
    story.decide()
    story.failed(1, error)
    assert story.decide() == ['complete "as it is"']


def test_a_name_in_a_payload_is_never_imported():
    def run(self):
        try:
            yield self.pay()
        except ActivityFailed as error:
            return error.names

    details = encode({'genflow.failure': 1, 'names': ['antigravity.X'], 'args': [], 'traceback': ''})
    story = Story(run, members=raising(KeyError))
    story.decide()
    story.failed(1, reason='x', details=details)
    story.decide()
    assert story.result == ['antigravity.X']
    assert 'antigravity' not in sys.modules


def test_a_child_brings_its_class_back_too():
    def run(self):
        try:
            yield self.order()
        except PaymentDeclined as error:
            return error.card

    story = Story(run, members={'order': WorkflowProxy('Order', '1', retry=0, raises=(PaymentDeclined,))})
    story.decide()
    story.failed(1, PaymentDeclined('visa', 5))
    assert story.decide() == ['complete "visa"']
