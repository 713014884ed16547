"""Rebuild the IR as one frozen NHWC TensorFlow graph."""

import argparse
import shutil
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing
from workflow_scripts.shared.processes import run_tool


def plain_ir(xml: str) -> str:
    """Return an IR's XML in a form that openvino2tensorflow 1.34 reads correctly.

    All ids get the same length, because openvino2tensorflow looks for a layer's id inside other ids. If two layers that
    read one constant are called 67 and 670, for example, it loses an edge. A bias of zeros can cause this: mo leaves it
    out, and all ids move.

    An edge from a weight comes after the edge from the feature map that it meets, because openvino2tensorflow takes an
    edge's place in the file for its port. If two convolutions share a kernel, that place is wrong in mo's file.
    """
    root = ElementTree.fromstring(xml)
    width = max((len(layer.get("id", "")) for layer in root.iter("layer")), default=1)
    for element in root.iter():
        for key in ("id", "from-layer", "to-layer"):
            if element.tag in ("layer", "edge") and key in element.attrib:
                element.set(key, element.attrib[key].zfill(width))
    types = {layer.attrib["id"]: layer.attrib["type"] for layer in root.iter("layer")}
    for edges in root.iter("edges"):
        places: dict[str, list[int]] = {}
        for place, edge in enumerate(edges):
            if types[edge.attrib["to-layer"]] in ("Convolution", "Add"):
                places.setdefault(edge.attrib["to-layer"], []).append(place)
        for found in places.values():
            inputs = [edges[place] for place in found]
            # Do not touch the sum of two tensors, so that the bytes of the graph stay the same.
            if any(types[edge.attrib["from-layer"]] == "Const" for edge in inputs):
                for place, edge in zip(
                    found, sorted(inputs, key=lambda edge: int(edge.attrib["to-port"])), strict=True
                ):
                    edges[place] = edge
    return ElementTree.tostring(root, encoding="unicode")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ir", type=Path, required=True, help="model.xml, its model.bin beside it")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.output.parent) as folder:
        graph = Path(folder, "model_float32.pb")
        ir = Path(folder, "model.xml")
        ir.write_text(plain_ir(arguments.ir.read_text()))
        shutil.copyfile(arguments.ir.with_suffix(".bin"), ir.with_suffix(".bin"))
        run_tool(
            "openvino2tensorflow",
            f"--model_path={ir}",
            f"--model_output_path={folder}",
            # Never --output_saved_model: its Keras metadata takes ten times as long and exceeds protobuf's 2 GB limit.
            "--output_pb",
            "--non_verbose",
            expected=graph,
        )
        with replacing(arguments.output) as staging:
            graph.rename(staging)


if __name__ == "__main__":
    run(main)
