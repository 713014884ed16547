"""Fuzz targets, a folder an environment: each is run by that environment's own pytest, or for long by run.py."""

from tests.support.environments import HERE

if HERE == "driver":
    # The driver lacks what these import; test_fuzz.py runs them instead.
    collect_ignore = ["torch", "tensorflow", "publish"]
