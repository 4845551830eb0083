"""Records the corpus of a release: ``python tests/recorded/record.py 0.1`` writes ``tests/recorded/0.1/*.json``.

To be run once for each release, and never again for one that is out: what is recorded stays as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import workflows

from genflow.core.engine.outbox import QUOTAS
from genflow.core.model import info
from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.testing import Fail, History, Script, Tester, TimeOut

CHECKOUT = f'{Path(__file__).resolve().parents[2]}/'
FLAKY = ('Flaky', '1')
RESIZE = 'resize'


def played() -> Iterator[tuple[str, History]]:
    """Each execution, played to its end, by the name of its file."""
    flaky = {FLAKY: Script(TimeOut(), Fail('broken'), 'mended')}
    yield 'everyday', finished(Tester(workflows.Everyday, stubs=flaky), 3)
    yield 'remembering', finished(Tester(workflows.Remembering, stubs={FLAKY: None}))
    yield 'family', finished(Tester(workflows.Family, stubs={FLAKY: None}))
    paging = Tester(workflows.Paging, stubs={FLAKY: None}).start(0)
    paging.step()
    paging.signal(workflows.Paging.item, 'one').signal(workflows.Paging.item, {'two': 2})
    paging.result()
    yield 'paging', paging.history
    booking = Tester(workflows.Booking, stubs={FLAKY: None}).start()
    booking.advance(seconds=5).cancel()
    while booking.step() is not None:
        pass
    yield 'booking', booking.history
    yield 'wide', finished(Tester(workflows.Wide, stubs={FLAKY: None}), 130)
    failing = Tester(workflows.Failing, stubs={FLAKY: Script(*[Fail('broken')] * 4), RESIZE: [3, 4]}).start()
    try:
        failing.result()
    except ValueError:
        yield 'failing', failing.history
    yield 'dropping', dropping()
    yield 'crowded', finished(Tester(workflows.Crowded, stubs={FLAKY: Script(TimeOut(), 'mended')}), QUOTAS['timer'])
    yield 'bursting', finished(Tester(workflows.Bursting, stubs={FLAKY: Script(*[TimeOut()] * 130, *[0] * 130)}), 130)
    yield 'suggested', suggested()
    yield 'updated', updated()
    yield 'successor', finished(Tester(workflows.Successor, stubs={FLAKY: None}), 2)


def dropping() -> History:
    """The attempt fails and the timer fires before one decision."""
    flaky = workflows.Dropping.flaky.task()
    story = History(workflows.Dropping).decide().failed(flaky, 'broken').fired('2').decide()
    return story.completed(flaky, 'mended').decide()


def suggested() -> History:
    """The first run, which ends with the restart that its length suggests."""
    story = History(workflows.Suggested, 0)
    with shorter_histories():
        story = story.decide()
        while story.closed is None:
            (item,) = story.open_tasks
            story = story.completed(item.key, len(story.events)).decide()
    return story


def updated() -> History:
    """Three updates, of which the validator refuses one and another one fails."""
    story = History(workflows.Updated).decide()
    for number, (name, args) in enumerate([('take', ['an item']), ('take', [None]), ('fail', [])]):
        envelope = {'id': f'u{number}', 'name': name, 'input': json.dumps([args, {}])}
        story = story.signaled(UPDATE_SIGNAL, raw=json.dumps(envelope))
    story = story.decide()
    story = story.completed(workflows.Updated.echo.task('an item'), 'an item').decide()
    return story.signaled(workflows.Updated.fin).decide()


@contextmanager
def shorter_histories() -> Iterator[None]:
    """Restarts are suggested soon: the length is no part of what is recorded."""
    length, info.RESTART_SUGGESTED = info.RESTART_SUGGESTED, 20
    try:
        yield
    finally:
        info.RESTART_SUGGESTED = length


def finished(tester: Tester, *args: Any) -> History:
    tester.run(*args)
    return tester.history


def main() -> None:
    folder = Path(__file__).parent / sys.argv[1]
    folder.mkdir()
    for name, history in played():
        text = history.to_json().replace(CHECKOUT, '')  # a traceback names files of this machine
        (folder / f'{name}.json').write_text(text + '\n')
        sys.stdout.write(f'{name}: {len(history.events)} events\n')


if __name__ == '__main__':
    main()
