"""Erasing everything about one outside number in one account (RODO, art. 17).

Calls stay with their times, totals and costs; of the number only the beginning stays, which class and price hang on.

* ``blanking``: the number in all the notations of a PBX, and legs and calls without it (pure);
* ``suppression``: what keeps an erased number from coming back with a file or a late record;
* ``erasing``: looking for it and erasing it.
"""
