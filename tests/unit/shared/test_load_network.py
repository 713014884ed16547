"""A damaged safetensors file, or one of another network, is refused in one line."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.load_network import load_network

pytestmark = pytest.mark.environment("torch")

if TYPE_CHECKING:
    from workflow_scripts.shared.u2net import U2Net


def header(change: Callable[[dict[str, dict[str, object]]], object]) -> Callable[[bytes], bytes]:
    """Change the header of a safetensors file and keep the bytes of its tensors."""

    def changed(content: bytes) -> bytes:
        (length,) = struct.unpack_from("<Q", content)
        said = json.loads(content[8 : 8 + length])
        change(said)
        text = json.dumps(said).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return changed


SIDE = "side1.weight"
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "truncated": lambda content: content[:-100],
    "truncated in its header": lambda content: content[:100],
    "zeros": lambda content: bytes(len(content)),
    "header without end": lambda content: struct.pack("<Q", 2**63) + content[8:],
    "huge shape": header(lambda said: said[SIDE].update(shape=[2**40, 2**40])),
    "negative shape": header(lambda said: said[SIDE].update(shape=[-1])),
    "offsets outside": header(lambda said: said[SIDE].update(data_offsets=[0, 2**50])),
    "offsets that overlap": header(lambda said: said[SIDE].update(data_offsets=said["side2.weight"]["data_offsets"])),
    "unknown type": header(lambda said: said[SIDE].update(dtype="X9")),
    "a tensor less": header(lambda said: said.pop(SIDE)),
    "another name": header(lambda said: said.update({"side\n1": said.pop(SIDE)})),
    "not JSON": lambda content: content[:8] + b"\xff" * (len(content) - 8),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_weights_are_refused(small_network: "U2Net", tmp_path: Path, damage: str) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(small_network.state_dict(), path)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(Failure) as refused:
        load_network(path)
    assert str(path) in str(refused.value)
    assert "delete it and build it again" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(Failure, match="does not hold a U²-Net"):
        load_network(path)
    save_file({}, path)
    with pytest.raises(Failure, match="does not hold a U²-Net"):
        load_network(path)
