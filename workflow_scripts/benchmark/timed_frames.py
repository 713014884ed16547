"""A native engine as a contender of the benchmark: a process that draws one frame for each line that it reads."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from workflow_scripts.engines.engine import Engine


def arguments_of(description: str | None, argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line that all native contenders share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--probes", type=Path, required=True, help="safetensors of make_probe_inputs")
    parser.add_argument("--probe", required=True, help="the name of the probe to draw")
    parser.add_argument("--threads", type=int, required=True)
    return parser.parse_args(argv)


def answer_frames(arguments: argparse.Namespace, engine: Engine) -> None:
    """Print the package's version, then draw one frame for each line of standard input. Each answer is a line of JSON.

    A frame is {"ms": its time, "d0": null}. If the line is "output", d0 holds the values row by row.
    """
    probe: NDArray[np.float32] = load_file(arguments.probes)[arguments.probe]
    print(json.dumps({"version": version(engine.package), "threads": arguments.threads}), flush=True)
    for line in sys.stdin:
        begun = time.perf_counter()
        d0 = engine.predict(probe)
        ms = 1000 * (time.perf_counter() - begun)
        values = d0.ravel().tolist() if line.strip() == "output" else None
        print(json.dumps({"ms": ms, "d0": values}), flush=True)
