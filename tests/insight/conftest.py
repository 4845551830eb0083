"""The services that a test has made are closed with it."""

from __future__ import annotations

import pytest

from .breaking import OPEN


@pytest.fixture(autouse=True)
def closed_services():
    yield
    while OPEN:
        OPEN.pop().close()
