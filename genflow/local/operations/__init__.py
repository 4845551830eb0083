"""The operations: each a function of the state, a checked request and the moment.

A call gives its answer in wire form, None for an operation without one. What must be read from the file is given as a
:class:`~genflow.local.operations.answers.Reading`, which is carried out after everything that the answer may tell is
durable, and outside of the service's lock.
"""
