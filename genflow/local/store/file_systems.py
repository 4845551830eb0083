"""Which kind of file system a file is on: one of this machine's own disks, or one that other machines see too.

On a network file system, and on one that a host shares with its virtual machines, locks and shared memory do not reach
everybody who can open the file, so two processes could write it at once. SQLite's write-ahead log does not work there
either (https://sqlite.org/wal.html). So such a file is refused before anything is made beside it, unless somebody
insists by an environment variable: there are sandboxes whose only disk is of such a kind. Linux tells the kinds of its
file systems in a table; on other systems no kind is known, and every file is taken.
"""

from __future__ import annotations

import os
from pathlib import Path

from genflow.local.errors import UnsupportedFileSystem

__all__ = ['ALLOWED', 'OF_OTHER_MACHINES', 'OF_THE_HOST', 'check_file_system', 'kind_of']

MOUNTS = '/proc/self/mountinfo'

OF_OTHER_MACHINES = frozenset(
    {
        *('nfs', 'nfs4', 'cifs', 'smb3', 'smbfs', 'ncpfs', 'afs', 'coda', 'davfs'),
        *('ceph', 'glusterfs', 'lustre', 'gpfs', 'beegfs', 'orangefs', 'pvfs2', 'ocfs2', 'gfs2'),
        *('fuse.sshfs', 'fuse.s3fs', 'fuse.gcsfuse', 'fuse.rclone', 'fuse.glusterfs', 'fuse.ceph-fuse'),
        *('fuse.davfs', 'fuse.juicefs', 'fuse.curlftpfs'),
    }
)
"""The names of kinds that other machines see, as Linux has them."""

OF_THE_HOST = frozenset(
    {
        *('9p', 'v9fs', 'virtiofs', 'vboxsf', 'vmhgfs', 'prl_fs', 'drvfs', 'fakeowner'),
        *('fuse.vmhgfs-fuse', 'fuse.grpcfuse', 'fuse.osxfs'),
    }
)
"""The names of kinds by which virtual machines, WSL and containers see folders of their host."""

ALLOWED = 'GENFLOW_ANY_FILE_SYSTEM'
"""An environment variable that allows a file on any file system, for sandboxes with no other disk."""


def check_file_system(path: str) -> None:
    """Checks that a file is, or would be, on a disk of this machine.

    Args:
        path: The path of the file, which need not exist.

    Raises:
        UnsupportedFileSystem: Other machines see that file system too.
    """
    kind = kind_of(path)
    if kind not in OF_OTHER_MACHINES | OF_THE_HOST or os.environ.get(ALLOWED, '0') not in ('', '0'):
        return
    where = (
        'which other machines may use at the same time. Keep the file on a disk of this machine; for more than one '
        'machine, run `genflow server` on one of them, or use Amazon SWF.'
        if kind in OF_OTHER_MACHINES
        else 'a folder of the host, whose locks may not hold here. Keep the file on a disk of this machine: in WSL '
        'below the home folder, in a container on a volume; or run `genflow server` on the host.'
    )
    raise UnsupportedFileSystem(
        f'{path} is on a file system of the kind {kind}, {where} If only this machine ever opens the file, '
        f'set {ALLOWED}=1.'
    )


def kind_of(path: str) -> str:
    """The kind of the file system of a path, such as ``nfs4``; empty if it is not known."""
    try:
        table = Path(MOUNTS).read_text(encoding='utf-8', errors='surrogateescape')
    except OSError:
        return ''
    folder = os.path.realpath(path)
    found, longest = '', -1
    for line in table.splitlines():
        place, _, rest = line.partition(' - ')
        mount, kind = _unescaped(place.split(' ')[4]), rest.partition(' ')[0]
        if len(mount) >= longest and _is_below(folder, mount):  # the later of two mounts hides the earlier one
            found, longest = kind, len(mount)
    return found


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder if folder.endswith('/') else f'{folder}/')


def _unescaped(name: str) -> str:
    for character in ' \t\n\\':
        name = name.replace(f'\\{ord(character):03o}', character)
    return name
