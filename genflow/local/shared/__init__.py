"""One file, many processes: whoever opens it first leads and serves it, the others follow.

* :mod:`~genflow.local.shared.member` is one process's part: it leads, or follows, and takes over.
* :mod:`~genflow.local.shared.front` serves the followers: the HTTP front on a socket of its own.
* :mod:`~genflow.local.shared.link` is a follower's way to the leader.
* :mod:`~genflow.local.shared.notice` is what the leader writes into the lock file.
* :mod:`~genflow.local.shared.names` tells processes apart, also after they have ended.
* :mod:`~genflow.local.shared.sockets` is where they meet.
"""
