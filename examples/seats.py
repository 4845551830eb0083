"""Request and reply: workflows that ask other workflows by signals, and programs that ask them by updates.

genflow run examples/seats.py:Evening 3

A question carries a key and the id of whoever asks, and the answer carries the key. So several questions may be open at
the same time, and their answers may come in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genflow import Signal, SignalFailed, Steps, TaskTimeout, Workflow, update, workflow


@dataclass
class Question:
    key: str
    asked_by: str
    seats: int


@dataclass
class Answer:
    key: str
    granted: bool


@workflow(name='Hall', version=1, task_list='seats', workflow_duration=None)
class Hall(Workflow):
    """Owns the seats of a hall. Its one loop takes one question after the other, so it needs no lock."""

    question = Signal[Question](on_invalid='log')

    def run(self, free: int) -> Steps[Any]:
        self.free = free
        while not self.info.restart_suggested:
            question = yield from self.question.get()
            answer = Answer(question.key, self.takes(question.seats))
            try:
                yield self.external(question.asked_by).signal(Booking.answer, answer)
            except SignalFailed:  # whoever asked is gone
                self.free += question.seats if answer.granted else 0
        return self.restart(self.free)

    def takes(self, seats: int) -> bool:
        if seats > self.free:
            return False
        self.free -= seats
        return True

    @update
    def book(self, seats: int) -> int:
        """For programs: ``execution.update(Hall.book, 2)`` returns how many seats are left."""
        if not self.takes(seats):
            raise LookupError(f'{self.free} seats are free')
        return self.free


@workflow(name='Booking', version=1, task_list='seats')
class Booking(Workflow):
    answer = Signal[Answer](on_invalid='log')

    def run(self, seats: int, halls: list[str]) -> Steps[dict[str, bool]]:
        answers: dict[str, bool] = yield {hall: self.ask(hall, seats) for hall in halls}
        return answers

    def ask(self, hall: str, seats: int) -> Steps[bool]:
        key = str(self.uuid4())
        try:
            yield self.external(hall).signal(Hall.question, Question(key, self.info.workflow_id, seats))
            answer = yield from self.answer.get(match=lambda answer: answer.key == key).timeout(60)
        except (SignalFailed, TaskTimeout):
            return False
        return answer.granted


@workflow(name='Evening', version=1, task_list='seats')
class Evening(Workflow):
    """Two halls and a booking in one tree, to try it."""

    hall = Hall.proxy(error_handling=True)  # bookings hear by themselves of a hall that is gone
    booking = Booking.proxy()

    def run(self, seats: int) -> Steps[dict[str, bool]]:
        halls = [self.hall.with_options(workflow_id=name)(free) for name, free in (('small', 2), ('large', 100))]
        yield self.sleep(1)
        answers = yield from self.booking(seats, ['small', 'large', 'none'])
        for hall in halls:
            hall.cancel()
        return answers
