"""Work that stays on one host: what an activity left there is there for the activities that run on the same worker.

genflow run examples/files.py report

`genflow run` has one worker and no list of its own. On several hosts run `python examples/files.py ENDPOINT` on each:
its worker polls the common list, and a second one that is its own (`own_list=True`).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from genflow import ActivityTimedOut, GiveUp, Retry, Steps, Workflow, activity, current_activity, workflow
from genflow.swf.worker import Worker


@activity(name='Download', version=1, task_list='files')
def download(name: str) -> tuple[str, str]:
    """Runs on any host, and returns where the file is: the host's own list, and the path there."""
    folder = Path(tempfile.mkdtemp(prefix='files-'))
    path = folder / name
    path.write_text(f'content of {name}', encoding='utf-8')
    info = current_activity().info
    return info.own_list or 'files', str(path)


@activity(name='Convert', version=1, task_list='files')
def convert(path: str) -> str:
    try:
        return Path(path).read_text(encoding='utf-8').upper()
    except FileNotFoundError:
        raise GiveUp(f'{path} is not on this host') from None


@activity(name='Remove', version=1, task_list='files')
def remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)
    Path(path).parent.rmdir()


@workflow(name='ConvertFile', version=1, task_list='files', workflow_duration=86400)
class ConvertFile(Workflow):
    download = download.proxy(retry=Retry(5))
    convert = convert.proxy(retry=0)
    remove = remove.proxy(retry=0, error_handling=True)  # a host that is gone takes its files with it

    def run(self, name: str, hosts: int = 3) -> Steps[str]:
        for _ in range(hosts):
            place, path = yield from self.download(name)
            # A host that is gone takes no task, and schedule_to_start is the limit for that.
            with self.options(task_list=place, schedule_to_start=60):
                try:
                    return (yield from self.convert(path))
                except ActivityTimedOut as error:
                    self.logger.warning('%s was lost with %s: %s', name, place, error)
                finally:
                    self.remove(path)
        raise LookupError(f'{hosts} hosts lost {name}')


def main(endpoint: str) -> None:
    worker = Worker('genflow', 'files', endpoint, own_list=True)
    worker.stop_on_signals(drain=30)
    worker.run()


if __name__ == '__main__':
    main(sys.argv[1])
