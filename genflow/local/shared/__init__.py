"""One file, many processes: whoever opens it first leads and serves it, the others follow.

Read in this order:

* :mod:`~genflow.local.shared.names` tells processes apart, also after they have ended.
* :mod:`~genflow.local.shared.notice` is what the leader writes into the lock file.
* :mod:`~genflow.local.shared.sockets` is where processes meet.
* :mod:`~genflow.local.shared.numbers` numbers calls, so that one whose answer was lost can be repeated.
* :mod:`~genflow.local.shared.link` is a follower's connections to the leader, and
  :mod:`~genflow.local.shared.front` the server at their other end.
* :mod:`~genflow.local.shared.leading` and :mod:`~genflow.local.shared.following` are the two roles, and
  :mod:`~genflow.local.shared.member` takes one or the other: the election, and what becomes of calls meanwhile.
* :mod:`~genflow.local.shared.read_only` reads a file and has no role at all.
"""
