"""Read a checkpoint of any U²-Net into safetensors, without running any code in it."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from workflow_scripts.checkpoint.file_kinds import kind_of, shown
from workflow_scripts.checkpoint.onnx_network import read_onnx
from workflow_scripts.checkpoint.pickled_weights import unpickle
from workflow_scripts.checkpoint.state_dicts import check_topology, checked_tensors, find_network
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing, write_json
from workflow_scripts.shared.u2net import describe, infer_stages


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors file. Raises Failure if it is damaged."""
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise Failure(
            f"{path} cannot be read as a safetensors file, it may be truncated "
            f"({shown(' '.join(str(error).split()))}); download it again"
        ) from error


def read_network(path: Path, wanted: str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the float32 weights of the U²-Net in a file of any kind, and how the file was read.

    `wanted` is the key of the network to read if the file has several. Raises Failure for anything but one U²-Net.
    """
    kind = kind_of(path)
    if kind == "onnx":
        if wanted is not None:
            raise Failure(f"{path} is an ONNX file, which holds one network: leave out checkpoint_key={shown(wanted)}")
        network = read_onnx(path)
        tensors: Mapping[str, Tensor] = network.state
        source: dict[str, Any] = {
            "input": asdict(network.input),
            "output": network.output,
            "logits": network.logits,
            "precision": network.precision,
        }
    else:
        candidate = find_network(read_safetensors(path) if kind == "safetensors" else unpickle(path), path, wanted)
        tensors, source = candidate.tensors, {"key": candidate.key}
    weights = checked_tensors(tensors, check_topology(tensors, path), path)
    return weights, {"kind": kind, **source}


def read(arguments: argparse.Namespace) -> None:
    """Read the checkpoint and write its weights, its architecture and how it was read."""
    path: Path = arguments.checkpoint
    weights, source = read_network(path, arguments.key)
    found = "onnx" if source["kind"] == "onnx" else "weights"
    if arguments.kind not in (None, found):
        # Only an ONNX file can be run and compared with. That must be planned before the file is there.
        raise Failure(
            f"{path} is {'an ONNX file' if found == 'onnx' else 'no ONNX file'}, which its source did not say; pass "
            "the file itself with --config model=NAME checkpoint=PATH"
        )
    architecture = describe(infer_stages({name: tuple(t.shape) for name, t in weights.items()}))
    with replacing(arguments.weights) as staging:
        # Not save_file: it first writes a hidden file with a new name each time, and a killed process leaves that.
        staging.write_bytes(save(weights))
    write_json(arguments.architecture, architecture.to_json())
    write_json(arguments.source, source)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument(
        "--kind", choices=("onnx", "weights"), help="what the workflow planned for: a function or weights"
    )
    parser.add_argument("--key", help="which network to take, where the file holds several")
    parser.add_argument("--origin", help="where the user has the file, for messages")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to write")
    parser.add_argument(
        "--architecture", type=Path, required=True, help="JSON to write: the network's widths and counts"
    )
    parser.add_argument("--source", type=Path, required=True, help="JSON to write: how the file was read")
    arguments = parser.parse_args(argv)
    try:
        read(arguments)
    except Failure as failure:
        # The user does not know the workflow's own copy by its name.
        said = str(failure)
        raise Failure(
            said.replace(str(arguments.checkpoint), arguments.origin) if arguments.origin else said
        ) from failure
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror or error}; make room, or change the permissions") from error


if __name__ == "__main__":
    run(main)
