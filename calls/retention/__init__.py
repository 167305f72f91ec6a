"""Forgetting: what is older than its account keeps calls goes, for good, and a receipt says so.

* ``cutoffs``: which day is the last that is kept, and when a night's work is due;
* ``tables``: the rules that the models state;
* ``purge``: the nightly work, in small slices that may be cut anywhere;
* ``legs``: the kept legs and raw records of calls, which know no account themselves;
* ``receipts``, ``proof``, ``alarms``, ``clock``: what was done, whether it is true, and who is told when it is not.
"""
