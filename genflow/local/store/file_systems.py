"""Which kind of file system a file is on: one of this machine's own disks, or one that other machines see too.

On a network file system, and on one that a host shares with its virtual machines, locks and shared memory do not reach
everybody who can open the file, so two processes could write it at once. SQLite's write-ahead log does not work there
either (https://sqlite.org/wal.html). So such a file is refused before anything is made beside it. Linux tells the kinds
of its file systems in a table; on other systems no kind is known, and every file is taken.
"""

from __future__ import annotations

import os
from pathlib import Path

from genflow.local.errors import UnsupportedFileSystem

__all__ = ['check_file_system', 'kind_of']

MOUNTS = '/proc/self/mountinfo'

UNSUPPORTED = frozenset(
    {
        *('nfs', 'nfs4', 'cifs', 'smb3', 'smbfs', 'ncpfs', 'afs', 'coda', 'davfs'),
        *('ceph', 'glusterfs', 'lustre', 'gpfs', 'beegfs', 'orangefs', 'pvfs2', 'ocfs2', 'gfs2'),
        *('9p', 'v9fs', 'virtiofs', 'vboxsf', 'vmhgfs', 'prl_fs', 'drvfs'),
        *('fuse.sshfs', 'fuse.s3fs', 'fuse.gcsfuse', 'fuse.rclone', 'fuse.glusterfs', 'fuse.ceph-fuse'),
        *('fuse.davfs', 'fuse.juicefs', 'fuse.vmhgfs-fuse', 'fuse.grpcfuse', 'fuse.osxfs', 'fuse.curlftpfs'),
    }
)
"""The names of kinds that other machines see, as Linux has them."""


def check_file_system(path: str) -> None:
    """See that a file is, or would be, on a disk of this machine.

    Args:
        path: of the file, which need not exist.

    Raises:
        UnsupportedFileSystem: it is not.
    """
    kind = kind_of(path)
    if kind in UNSUPPORTED:
        raise UnsupportedFileSystem(
            f'{path} is on a file system of the kind {kind}, which other machines may use at the same time. Keep the '
            'file on a disk of this machine; for more than one machine, run `genflow server` on one of them, or use '
            'Amazon SWF.'
        )


def kind_of(path: str) -> str:
    """The kind of the file system that has a path; empty where that is not known."""
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
