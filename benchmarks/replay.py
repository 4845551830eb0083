"""Replay of a corpus of JSON files: events per second from file to verdict, and what the parts of that cost.

Run ``python benchmarks/replay.py [HISTORIES]``. Each history has about 1,000 events; the target is 200,000 events/s,
and 1,000 such histories within 10 s.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from genflow import ActivityProxy, Signal, Workflow, WorkflowProxy
from genflow.swf.wire.events import translate
from genflow.testing import History, replay, replay_files

EVENTS = 1_000


class Sequential(Workflow):
    """One activity after the other: as many decisions as activities."""

    step = ActivityProxy(name='Step', version='1')

    def run(self, count: int) -> Any:
        for number in range(count):
            yield self.step(number, customer='somebody', note='a text of about a line, as real arguments have it')


class Mixed(Workflow):
    """Activities side by side, a child, a timer and a signal in each round."""

    step = ActivityProxy(name='Step', version='1')
    child = WorkflowProxy(name='Child', version='1')
    approve = Signal()

    def run(self, rounds: int) -> Any:
        for number in range(rounds):
            yield [self.step(number), self.step(-number), self.child(number), self.sleep(60)]
            yield self.approve.get()


def sequential() -> History:
    story = History(Sequential, 165).decide()
    for number in range(165):
        story = story.completed('step', {'receipt': number}).decide()
    return story


def mixed() -> History:
    story = History(Mixed, 33).decide()
    for number in range(33):
        timer = next(item.key for item in story.open_tasks if item.kind == 'timer')
        story = story.completed('step', number).decide().completed('step', number).started('child').decide()
        story = story.completed('child', number).fired(timer).decide().signaled('approve', number).decide()
    return story


def with_iso_times(text: str) -> str:
    document = json.loads(text)
    for event in document['events']:
        event['eventTimestamp'] = datetime.fromtimestamp(event['eventTimestamp'], timezone.utc).isoformat()
    return json.dumps(document)


def rate(events: int, action: Callable[[], object]) -> float:
    """Events per second of the best of five."""
    best = min(_seconds(action) for _ in range(5))
    return events / best


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def main() -> None:
    histories = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for name, story in (('sequential', sequential()), ('mixed', mixed())):
        text, count = story.to_json(), len(story.recorded)
        events = json.loads(text)['events']
        print(f'{name}: {count:,} events of {len(text) / count:.0f} bytes, {story.closed}')
        print(f'  JSON alone      {rate(count, lambda: json.loads(text)):>9,.0f} events/s')  # noqa: B023
        print(f'  translate alone {rate(count, lambda: translate(events)):>9,.0f} events/s')  # noqa: B023
        print(f'  replay alone    {rate(count, lambda: replay(story, story.workflow)):>9,.0f} events/s')  # noqa: B023
        for form, written in (('epoch', text), ('ISO', with_iso_times(text))):
            with tempfile.TemporaryDirectory() as folder:
                for number in range(histories):
                    Path(folder, f'{number}.json').write_text(written, encoding='utf-8')
                begun = time.process_time()
                report = replay_files([folder], [Sequential, Mixed])
                taken = time.process_time() - begun
            assert report.ok, report
            print(f'  {form:<5} files     {report.events / taken:>9,.0f} events/s of CPU: {report}')


if __name__ == '__main__':
    main()
