"""Test the IRs that openvino2tensorflow misreads, with its own way of reading edges."""

import xml.etree.ElementTree as ElementTree

import pytest

from workflow_scripts.convert.freeze_graph import plain_ir

pytestmark = pytest.mark.environment("tensorflow")


def ir(edges: list[tuple[int, int, int]]) -> str:
    """Return an IR with layers up to 670. Edges are (from, to, port)."""
    types = {7: "Const", 66: "Const", 67: "Interpolate", 670: "Interpolate", 675: "Convolution", 676: "Add"}
    layers = "".join(f'<layer id="{number}" name="n{number}" type="{kind}" />' for number, kind in types.items())
    found = "".join(
        f'<edge from-layer="{start}" from-port="0" to-layer="{end}" to-port="{port}" />' for start, end, port in edges
    )
    return f'<net name="model" version="11"><layers>{layers}</layers><edges>{found}</edges></net>'


def read_as_the_tool_does(xml: str) -> dict[str, list[str]]:
    """Return what feeds each layer, as openvino2tensorflow 1.34 collects it (its lines 505 to 583)."""
    read: dict[str, list[str]] = {}
    for edge in ElementTree.fromstring(xml).iter("edge"):
        start, end = edge.attrib["from-layer"], edge.attrib["to-layer"]
        if end not in read or not any(end in key and start in read[key] for key in read):
            read.setdefault(end, []).append(start)
    return {end.lstrip("0"): [start.lstrip("0") for start in starts] for end, starts in read.items()}


def test_a_constant_of_layers_whose_ids_contain_one_another_feeds_both() -> None:
    xml = ir([(66, 670, 1), (7, 67, 0), (66, 67, 1)])
    assert read_as_the_tool_does(xml)["67"] == ["7"]
    assert read_as_the_tool_does(plain_ir(xml))["67"] == ["7", "66"]


def test_inputs_come_in_the_order_of_their_ports() -> None:
    # Another convolution made the kernel earlier, so it comes before the tensor that is convolved.
    xml = ir([(7, 675, 1), (670, 675, 0)])
    assert read_as_the_tool_does(xml)["675"] == ["7", "670"]
    assert read_as_the_tool_does(plain_ir(xml))["675"] == ["670", "7"]


def test_the_sum_of_two_tensors_keeps_its_order() -> None:
    xml = ir([(67, 676, 1), (675, 676, 0)])
    assert read_as_the_tool_does(plain_ir(xml))["676"] == ["67", "675"]


def test_all_else_stays() -> None:
    before, after = (ElementTree.fromstring(xml) for xml in (ir([(7, 67, 0)]), plain_ir(ir([(7, 67, 0)]))))
    assert [layer.attrib["name"] for layer in after.iter("layer")] == [
        layer.attrib["name"] for layer in before.iter("layer")
    ]
    assert after.attrib == before.attrib
