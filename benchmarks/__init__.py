"""Measurements too long for a test. Each module has ``main(stack, arguments)``, which returns the exit status.

A benchmark measures a floor in the same run and prints ratios to it: the seconds of one machine say little of another.
"""
