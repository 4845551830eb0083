"""The stepping engine, tested with no I/O: events in, decisions out.

`story.py` plays SWF's part, with the model of it on which the explorer stands. Every decision of every test is made
twice, by an execution that was kept and by one that replays the whole history, and the two have to agree.
"""
