"""Records the corpus of a release: ``python tests/recorded/record.py 0.1`` writes ``tests/recorded/0.1/*.json``.

To be run once for each release, and never again for one that is out: what is recorded stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import workflows

from genflow.testing import Fail, Script, Tester, TimeOut

CHECKOUT = f'{Path(__file__).resolve().parents[2]}/'
FLAKY = ('Flaky', '1')
RESIZE = 'resize'


def played() -> Iterator[tuple[str, Tester]]:
    """Each execution, played to its end, by the name of its file."""
    flaky = {FLAKY: Script(TimeOut(), Fail('broken'), 'mended')}
    yield 'everyday', finished(Tester(workflows.Everyday, stubs=flaky), 3)
    yield 'remembering', finished(Tester(workflows.Remembering, stubs={FLAKY: None}))
    yield 'family', finished(Tester(workflows.Family, stubs={FLAKY: None}))
    paging = Tester(workflows.Paging, stubs={FLAKY: None}).start(0)
    paging.step()
    paging.signal(workflows.Paging.item, 'one').signal(workflows.Paging.item, {'two': 2})
    paging.result()
    yield 'paging', paging
    booking = Tester(workflows.Booking, stubs={FLAKY: None}).start()
    booking.advance(seconds=5).cancel()
    while booking.step() is not None:
        pass
    yield 'booking', booking
    yield 'wide', finished(Tester(workflows.Wide, stubs={FLAKY: None}), 130)
    failing = Tester(workflows.Failing, stubs={FLAKY: Script(*[Fail('broken')] * 4), RESIZE: [3, 4]}).start()
    try:
        failing.result()
    except ValueError:
        yield 'failing', failing


def finished(tester: Tester, *args: Any) -> Tester:
    tester.run(*args)
    return tester


def main() -> None:
    folder = Path(__file__).parent / sys.argv[1]
    folder.mkdir()
    for name, tester in played():
        text = tester.history.to_json().replace(CHECKOUT, '')  # a traceback names files of this machine
        (folder / f'{name}.json').write_text(text + '\n')
        sys.stdout.write(f'{name}: {len(list(tester.history.recorded))} events\n')


if __name__ == '__main__':
    main()
