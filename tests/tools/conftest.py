"""The services that a test has made are closed with it."""

from __future__ import annotations

import sys

import pytest


def opened():
    breaking = sys.modules.get('tests.insight.breaking')
    return [] if breaking is None else breaking.OPEN


@pytest.fixture(autouse=True)
def closed_services():
    before = len(opened())  # what serves all tests of a file stays
    yield
    while len(opened()) > before:
        opened().pop().close()
