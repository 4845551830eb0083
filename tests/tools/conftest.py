"""The services that a test has made are closed with it."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def closed_services():
    yield
    breaking = sys.modules.get('tests.insight.breaking')
    while breaking is not None and breaking.OPEN:
        breaking.OPEN.pop().close()
