"""Metrics for Prometheus: the numbers of this process in its text format."""

from __future__ import annotations

from genflow.exposition import Instrument, Measurements
from genflow.telemetry.instruments import INSTRUMENTS, WORKER
from genflow.telemetry.measuring import Measured, Measuring, worker_numbers

__all__ = ['PrometheusMetrics']


class PrometheusMetrics(Measuring):
    """Keeps the numbers of this process, for a client and workers alike.

    Whoever serves ``/metrics`` in a program of its own gives :meth:`text` there; ``genflow worker --metrics PORT`` does
    it for a worker.
    """

    def __init__(self) -> None:
        self._numbers = Measurements(INSTRUMENTS)
        self._worker: Measured | None = None

    def watch(self, worker: Measured) -> None:
        """Shows what a worker counts, too."""
        self._worker = worker

    def add(self, instrument: Instrument, /, *labels: str) -> None:
        """Counts one."""
        self._numbers.add(instrument, 1, *labels)

    def observe(self, instrument: Instrument, value: float, /, *labels: str) -> None:
        """Puts a value into a histogram."""
        self._numbers.observe(instrument, value, *labels)

    def text(self) -> str:
        """Everything as it is now, in Prometheus' text format 0.0.4."""
        if self._worker is not None:
            for instrument in WORKER:
                self._numbers.clear(instrument)
            for instrument, number, labels in worker_numbers(self._worker):
                self._numbers.set(instrument, number, *labels)
        return self._numbers.text()
