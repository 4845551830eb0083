"""The checks of one function: the rules on determinism (``G0..``), and those on lost calls (``G1..``)."""
