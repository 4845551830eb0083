"""Prometheus' text format 0.0.4: counters, gauges and histograms by labels.

Code that measures stores its numbers in a :class:`Measurements` and returns its text at ``/metrics``.
"""

from __future__ import annotations

import math
import re
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar

from attrs import define, field, frozen

__all__ = ['CONTENT_TYPE', 'SECONDS', 'Instrument', 'Measurements', 'joined']

CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Upper bounds, in seconds, for durations from milliseconds to minutes."""

Labels = tuple[str, ...]

_T = TypeVar('_T')


@frozen
class Instrument:
    """One metric.

    Attributes:
        name: As Prometheus has it.
        type: ``counter``, ``gauge`` or ``histogram``.
        help: What it counts.
        labels: The names of its labels, in order.
        buckets: Of a histogram the upper bounds, ascending.
    """

    name: str
    type: Literal['counter', 'gauge', 'histogram']
    help: str
    labels: Labels = ()
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its samples."""
        if self.type != 'histogram':
            return (self.name,)
        return (f'{self.name}_bucket', f'{self.name}_sum', f'{self.name}_count')


@define
class _Histogram:
    """The number of values in each bucket (the last is beyond all bounds), and their sum."""

    counts: list[int]
    sum: float = 0.0


@define(eq=False)
class Measurements:
    """The numbers of some instruments; may be changed and read from any thread.

    Attributes:
        instruments: In the order in which they are shown.
    """

    instruments: Sequence[Instrument]
    _numbers: dict[tuple[Instrument, Labels], float] = field(factory=dict, init=False, repr=False)
    _histograms: dict[tuple[Instrument, Labels], _Histogram] = field(factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def add(self, instrument: Instrument, number: float = 1, /, *labels: str) -> None:
        """Adds to a counter."""
        with self._lock:
            self._numbers[instrument, labels] = self._numbers.get((instrument, labels), 0) + number

    def set(self, instrument: Instrument, number: float, /, *labels: str) -> None:
        """Sets a gauge, or a counter whose total is known."""
        with self._lock:
            self._numbers[instrument, labels] = number

    def clear(self, instrument: Instrument) -> None:
        """Forgets the numbers of an instrument, so that stale labels disappear."""
        with self._lock:
            for key in [key for key in self._numbers if key[0] is instrument]:
                del self._numbers[key]

    def observe(self, instrument: Instrument, value: float, /, *labels: str) -> None:
        """Adds a value to a histogram."""
        with self._lock:
            found = self._histograms.get((instrument, labels))
            if found is None:
                found = self._histograms[instrument, labels] = _Histogram([0] * (len(instrument.buckets) + 1))
            found.counts[bisect_left(instrument.buckets, value)] += 1
            found.sum += value

    def text(self) -> str:
        """Everything in Prometheus' format. A counter or gauge without labels is there from the beginning."""
        with self._lock:
            return ''.join(f'{line}\n' for instrument in self.instruments for line in self._lines(instrument))

    def _lines(self, instrument: Instrument) -> Iterator[str]:
        yield f'# HELP {instrument.name} {_escaped(instrument.help)}'
        yield f'# TYPE {instrument.name} {instrument.type}'
        if instrument.type == 'histogram':
            for labels, histogram in sorted(_of(self._histograms, instrument), key=lambda pair: pair[0]):
                yield from _histogram_lines(instrument, labels, histogram)
            return
        found = _of(self._numbers, instrument)
        if not found and not instrument.labels:
            found = [((), 0)]
        for labels, number in sorted(found):
            yield _line(instrument.name, zip(instrument.labels, labels, strict=True), number)


def _of(numbers: Mapping[tuple[Instrument, Labels], _T], instrument: Instrument) -> list[tuple[Labels, _T]]:
    return [(labels, found) for (one, labels), found in numbers.items() if one is instrument]


def _histogram_lines(instrument: Instrument, labels: Labels, histogram: _Histogram) -> Iterator[str]:
    named = list(zip(instrument.labels, labels, strict=True))
    total = 0
    for bound, count in zip((*instrument.buckets, math.inf), histogram.counts, strict=True):
        total += count
        yield _line(f'{instrument.name}_bucket', [*named, ('le', _number(bound))], total)
    yield _line(f'{instrument.name}_sum', named, histogram.sum)
    yield _line(f'{instrument.name}_count', named, total)


def _line(name: str, labels: Iterable[tuple[str, str]], number: float) -> str:
    shown = ','.join(f'{label}="{_escaped(value, quoted=True)}"' for label, value in labels)
    return f'{name}{{{shown}}} {_number(number)}' if shown else f'{name} {_number(number)}'


def _number(value: float) -> str:
    if value == math.inf:
        return '+Inf'
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace('\\', r'\\').replace('\n', r'\n')
    return text.replace('"', r'\"') if quoted else text


_SAMPLE = re.compile(r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$')


def joined(texts: Mapping[str, str], label: str) -> str:
    """Joins the texts of several processes; every sample gets a label that names its process.

    Args:
        texts: By the value of the label.
        label: Its name.
    """
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for value, text in texts.items():
        family = ''
        for line in text.splitlines():
            if line.startswith('# '):
                family = line.split(' ', 3)[2]
                known = heads.setdefault(family, [])
                if line not in known:
                    known.append(line)
            elif (match := _SAMPLE.match(line)) is not None:
                own = f'{label}="{_escaped(value, quoted=True)}"'
                labels = f'{own},{match["labels"]}' if match['labels'] else own
                samples.setdefault(family, []).append(f'{match["name"]}{{{labels}}} {match["value"]}')
    return ''.join(f'{line}\n' for family, head in heads.items() for line in (*head, *samples.get(family, ())))
