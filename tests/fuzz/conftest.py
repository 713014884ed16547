"""Fuzz targets, one folder per environment. That environment's own pytest runs them, or run.py for long."""

from tests.support.environments import HERE

if HERE == "driver":
    # The driver lacks the packages that these import. test_fuzz.py runs them.
    collect_ignore = ["torch", "tensorflow", "publish"]
