"""What the trips call: some of it may not run in a workflow."""

from __future__ import annotations

import hashlib
import re
import time

SEEN: set[str] = set()
PRICES = {'rome': 100}


def remember(name):
    SEEN.add(name)  # finds G012


def seen():
    return SEEN  # finds G012


def deadline(workflow):
    return workflow.now().timestamp() + _grace()


def _grace():
    return time.monotonic() % 10  # finds G001


def price_of(city):
    return PRICES.get(city, hash(city) % 100)  # finds G011


def parse_name(name):
    match = re.match(r'(\w+)', name)
    return match[1] if match else hashlib.sha256(name.encode()).hexdigest()


def never_called():
    return time.time()
