"""A file on a file system that other machines see is refused, by the kind that Linux tells."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

from genflow.local import LocalSWF
from genflow.local.errors import UnsupportedFileSystem
from genflow.local.store import file_systems
from genflow.local.store.file_systems import ALLOWED, OF_OTHER_MACHINES, OF_THE_HOST, kind_of

UNSUPPORTED = OF_OTHER_MACHINES | OF_THE_HOST
LINE = '36 35 98:0 /root {place} rw,noatime master:1 - {kind} {source} rw,errors=continue\n'


@pytest.fixture
def mounts(tmp_path, monkeypatch):
    """Writes what Linux would tell of its mounts."""
    table = tmp_path / 'mountinfo'
    monkeypatch.setattr(file_systems, 'MOUNTS', str(table))

    def write(*pairs):
        lines = [LINE.format(place=str(place).replace(' ', r'\040'), kind=kind, source='x') for place, kind in pairs]
        table.write_text(''.join(lines))

    return write


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux tells')
def test_the_files_of_this_machine_are_on_a_file_system_that_is_known():
    assert kind_of('/proc/self/stat') == 'proc'
    assert kind_of('/proc') == 'proc'
    assert kind_of(str(Path(__file__))) not in {'', *UNSUPPORTED}


@pytest.mark.parametrize('kind', sorted(UNSUPPORTED))
def test_a_file_system_of_several_machines_is_refused_with_the_way_out(mounts, tmp_path, kind):
    folder = tmp_path / 'share'
    folder.mkdir()
    mounts(('/', 'ext4'), (folder, kind))
    with pytest.raises(UnsupportedFileSystem) as caught:
        LocalSWF(folder / 'orders.db')
    seen_by = 'other machines' if kind in OF_OTHER_MACHINES else 'a folder of the host'
    kind_of_it = f'{folder}/orders.db is on a file system of the kind {kind},'
    for words in (kind_of_it, seen_by, 'a disk of this machine', '`genflow server`', f'set {ALLOWED}=1'):
        assert words in str(caught.value)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(('value', 'is_taken'), [('1', True), ('yes', True), ('0', False), ('', False)])
def test_who_insists_has_a_file_anywhere(mounts, tmp_path, monkeypatch, value, is_taken):
    mounts(('/', '9p'))
    monkeypatch.setenv(ALLOWED, value)
    with contextlib.nullcontext() if is_taken else pytest.raises(UnsupportedFileSystem):
        LocalSWF(tmp_path / 'orders.db').close()


def test_the_nearest_and_the_latest_mount_counts(mounts):
    mounts(('/', 'nfs4'), ('/home', 'ext4'), ('/home/a b', 'cifs'), ('/data', 'nfs'), ('/data', 'xfs'))
    kinds = {'/x': 'nfs4', '/homes/x': 'nfs4', '/home/x': 'ext4', '/home/a b/x': 'cifs', '/data/x': 'xfs'}
    assert {path: kind_of(path) for path in kinds} == kinds


def test_a_link_counts_as_where_it_leads_to(mounts, tmp_path):
    share = tmp_path / 'share'
    share.mkdir()
    mounts(('/', 'ext4'), (share, 'nfs'))
    (tmp_path / 'orders.db').symlink_to(share / 'orders.db')
    with pytest.raises(UnsupportedFileSystem):
        LocalSWF(tmp_path / 'orders.db')


def test_where_no_kind_is_known_every_file_is_taken(monkeypatch, tmp_path):
    monkeypatch.setattr(file_systems, 'MOUNTS', str(tmp_path / 'nothing'))
    with LocalSWF(tmp_path / 'swf.db') as swf:
        assert swf.is_leader
