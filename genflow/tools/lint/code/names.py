"""The dotted names that workflow code must not call, of the standard library and common packages."""

from __future__ import annotations

import importlib
from functools import cache

__all__ = ['CACHES', 'SEEDED', 'code_of', 'public_names']

_CALLS: dict[str, str] = {
    **dict.fromkeys(
        (
            'time.time',
            'time.time_ns',
            'time.monotonic',
            'time.monotonic_ns',
            'time.perf_counter',
            'time.perf_counter_ns',
            'time.process_time',
            'time.localtime',
            'time.gmtime',
            'time.ctime',
            'time.asctime',
            'time.strftime',
            'time.clock_gettime',
            'time.clock_gettime_ns',
            'time.thread_time',
            'time.thread_time_ns',
            'time.process_time_ns',
            'datetime.datetime.now',
            'datetime.datetime.utcnow',
            'datetime.datetime.today',
            'datetime.date.today',
            'django.utils.timezone.now',
            'pendulum.now',
            'arrow.now',
            'arrow.utcnow',
        ),
        'G001',
    ),
    **dict.fromkeys(('os.urandom', 'uuid.getnode'), 'G002'),
    **dict.fromkeys(('uuid.uuid1', 'uuid.uuid4'), 'G003'),
    **dict.fromkeys(
        (
            'os.getenv',
            'os.environ',
            'os.environb',
            'os.getcwd',
            'os.getpid',
            'os.getlogin',
            'os.cpu_count',
            'os.uname',
            'os.umask',
            'os.getppid',
            'os.getuid',
            'os.getloadavg',
            'os.path.abspath',
            'os.path.expanduser',
            'os.path.expandvars',
            'os.chdir',
            'os.putenv',
            'os.unsetenv',
            'sys.argv',
            'socket.gethostname',
            'socket.getfqdn',
            'getpass.getuser',
            'locale.getlocale',
            'tempfile.gettempdir',
            'pathlib.Path.cwd',
            'pathlib.Path.home',
        ),
        'G004',
    ),
    **dict.fromkeys(
        (
            'open',
            'input',
            'io.open',
            'os.open',
            'os.listdir',
            'os.scandir',
            'os.walk',
            'os.stat',
            'os.remove',
            'os.unlink',
            'os.rename',
            'os.replace',
            'os.mkdir',
            'os.makedirs',
            'os.rmdir',
            'os.path.exists',
            'os.path.isfile',
            'os.path.isdir',
            'os.path.getsize',
            'os.path.getmtime',
            'os.path.getatime',
            'os.path.getctime',
            'os.path.islink',
            'os.path.ismount',
            'os.path.lexists',
            'os.path.realpath',
            'os.path.samefile',
            'os.access',
            'os.chmod',
            'os.chown',
            'os.link',
            'os.lstat',
            'os.readlink',
            'os.removedirs',
            'os.renames',
            'os.symlink',
            'os.truncate',
            'os.utime',
            'bz2.open',
            'codecs.open',
            'dbm.open',
            'gzip.open',
            'linecache.getline',
            'linecache.getlines',
            'lzma.open',
            'mmap.mmap',
            'shelve.open',
            'tarfile.open',
            'tarfile.TarFile',
            'zipfile.ZipFile',
            'getpass.getpass',
            'sys.stdin',
        ),
        'G005',
    ),
    **dict.fromkeys(('signal.alarm', 'signal.pause', 'signal.setitimer', 'signal.signal'), 'G007'),
    'time.sleep': 'G008',
    **dict.fromkeys(('os.system', 'os.popen', 'os.fork', 'os.posix_spawn', 'os.startfile', 'os.kill'), 'G009'),
    **dict.fromkeys(('id', 'hash'), 'G011'),
}
"""Calls and values by their whole name."""

_BELOW: dict[str, str] = {
    'random': 'G002',
    'secrets': 'G002',
    'numpy.random': 'G002',
    'platform': 'G004',
    'shutil': 'G005',
    'tempfile': 'G005',
    'glob': 'G005',
    'fileinput': 'G005',
    **dict.fromkeys(
        (
            'requests',
            'httpx',
            'aiohttp',
            'urllib.request',
            'urllib3',
            'http.client',
            'socket',
            'smtplib',
            'ftplib',
            'imaplib',
            'ssl',
            'boto3',
            'botocore',
            'sqlite3',
            'psycopg',
            'psycopg2',
            'pymysql',
            'redis',
            'pymongo',
            'paramiko',
            'grpc',
            'aiobotocore',
            'anthropic',
            'asyncpg',
            'docker',
            'elasticsearch',
            'kafka',
            'kubernetes',
            'mysql.connector',
            'MySQLdb',
            'nntplib',
            'openai',
            'oracledb',
            'pika',
            'poplib',
            'pymssql',
            'pyodbc',
            'sqlalchemy.create_engine',
            'sqlalchemy.engine',
            'sqlalchemy.orm.Session',
            'sqlalchemy.orm.sessionmaker',
            'stripe',
            'telnetlib',
            'urllib.robotparser',
            'webbrowser',
            'websocket',
            'websockets',
            'xmlrpc.client',
        ),
        'G006',
    ),
    **dict.fromkeys(
        ('threading', '_thread', 'multiprocessing', 'concurrent.futures', 'asyncio', 'queue', 'trio', 'gevent'), 'G007'
    ),
    'subprocess': 'G009',
    'os.exec': 'G009',
    'os.spawn': 'G009',
    'contextvars.ContextVar': 'G012',
}
"""Everything below a module."""

_PATH_METHODS = frozenset(
    {
        'chmod',
        'exists',
        'glob',
        'is_dir',
        'is_file',
        'iterdir',
        'mkdir',
        'open',
        'read_bytes',
        'read_text',
        'rename',
        'replace',
        'resolve',
        'rglob',
        'rmdir',
        'stat',
        'touch',
        'unlink',
        'write_bytes',
        'write_text',
    }
)
"""Methods of a ``pathlib.Path`` that look at the file system."""

_HARMLESS = frozenset(
    {
        'asyncio.CancelledError',
        'asyncio.TimeoutError',
        'concurrent.futures.TimeoutError',
        'concurrent.futures.CancelledError',
        'queue.Empty',
        'queue.Full',
        'requests.HTTPError',
        'requests.RequestException',
        'requests.exceptions',
        'socket.timeout',
        'socket.error',
        'sqlite3.Error',
        'sqlite3.IntegrityError',
        'subprocess.CalledProcessError',
        'subprocess.TimeoutExpired',
        'botocore.exceptions',
        'httpx.HTTPError',
    }
)
"""Names below those modules that are only named: exceptions to catch."""

SEEDED = 'random.Random'
"""With a seed it gives the same numbers each time."""

CACHES = frozenset({'functools.lru_cache', 'functools.cache', 'cachetools.cached', 'cachetools.func.ttl_cache'})


def code_of(name: str) -> str | None:
    """The code of the rule that a call of this dotted name breaks; ``None`` if it breaks none."""
    if name in _CALLS:
        return _CALLS[name]
    if name in _HARMLESS or any(name.startswith(f'{harmless}.') for harmless in _HARMLESS):
        return None
    owner, _, method = name.rpartition('.')
    if owner in ('pathlib.Path', 'pathlib.Path()') and method in _PATH_METHODS:
        return 'G005'
    if name.startswith(('os.exec', 'os.spawn')):
        return 'G009'
    while owner:
        if owner in _BELOW:
            return _BELOW[owner]
        owner = owner.rpartition('.')[0]
    return None


_IMPORTED = frozenset(
    {
        'asyncio',
        'datetime',
        'functools',
        'genflow',
        'glob',
        'multiprocessing',
        'os',
        'os.path',
        'pathlib',
        'platform',
        'queue',
        'random',
        'secrets',
        'shutil',
        'socket',
        'subprocess',
        'tempfile',
        'threading',
        'time',
        'uuid',
    }
)
"""The modules outside of a project of which ``import *`` is understood."""


@cache
def public_names(module: str) -> frozenset[str]:
    """What ``from module import *`` brings; nothing where the module is not one of those in the tables."""
    if module not in _IMPORTED:
        return frozenset()
    found = importlib.import_module(module)
    names = getattr(found, '__all__', None) or [name for name in vars(found) if not name.startswith('_')]
    return frozenset(names)
