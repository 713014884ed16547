"""Checkpoints of torch.save with changed members, changed opcodes in the pickle, and changed bytes."""

import io
import pickletools
import tempfile
import zipfile
from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzzing import HOSTILE_TEXTS, SIZES, Watch, damaged, fuzz, instrument, short

instrument(
    "workflow_scripts.checkpoint.file_kinds",
    "workflow_scripts.checkpoint.pickled_weights",
    "workflow_scripts.checkpoint.state_dicts",
    "workflow_scripts.shared.u2net",
)

from safetensors.torch import save

from workflow_scripts.checkpoint.read_checkpoint import read_network
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import U2Net

torch.set_num_threads(1)
STAGES = {
    f"stage{name}": (3 if name == "1" else 4 if name.endswith("d") else 2, 1, 2)
    for name in ("1", "2", "3", "4", "5", "6", "5d", "4d", "3d", "2d", "1d")
}
WATCH = Watch()


def saved(content: object, zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


NETWORK = U2Net(STAGES).state_dict()
FEW = {"a.weight": torch.ones(3, 4), "a.count": torch.zeros(2, dtype=torch.long), "b": torch.ones(2).half()}
SEEDS = [
    saved(FEW),
    saved({"state_dict": FEW, "epoch": 3, "optimizer": {"betas": (0.9, 0.99), "state": [{}, None, True]}}),
    saved({"a": torch.nn.Parameter(torch.ones(2, 2)), "b": torch.ones(4).expand(3, 4)}),
    saved(NETWORK),
    saved({"model": NETWORK, "ema": {f"module.{name}": tensor for name, tensor in NETWORK.items()}, "epoch": 3}),
]
LEGACY = [saved(FEW, False), saved(NETWORK, False)]
# Opcodes that build a value, call a function, or refer to an earlier value.
FRAGMENTS = [
    *(b"cposix\nsystem\n", b"cbuiltins\neval\n", b"cbuiltins\nbytearray\n", b"c_codecs\nencode\n", b"cos\nsystem\n"),
    *(b"ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n", b"ctorch\nTensor\n", b"ccollections\nOrderedDict\n"),
    *(b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n", b"ctorch.storage\nUntypedStorage\n"),
    *(b"X\x0e\x00\x00\x00touch /planted", b")", b"(", b"t", b"R", b"\x81", b"b", b"Q", b"h\x00", b"h\x01", b"q\x01"),
    *(b"\x85", b"\x86", b"\x87", b"]", b"}", b"a", b"e", b"s", b"u", b"N", b"\x88", b"\x8a\x09" + b"\xff" * 9, b"."),
    *(
        b"J\xff\xff\xff\x7f",
        b"K\x00",
        b"\x80\x04",
        b"\x93",
        b"2",
        b"0",
        b"P0\n",
        b"\x95" + b"\xff" * 8,
        b"r\xff\xff\xff\xff",
    ),
]


@st.composite
def pickles(draw: st.DrawFn, pickle: bytes) -> bytes:
    """Insert opcodes into a pickle, or replace its numbers by special numbers."""
    for _ in range(draw(st.integers(0, 3))):
        try:
            starts = [position or 0 for _, _, position in pickletools.genops(pickle)]
        except ValueError:
            break
        at = draw(st.sampled_from(starts))
        if draw(st.booleans()):
            put = b"".join(draw(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4)))
            pickle = pickle[:at] + put + pickle[at:]
        elif pickle[at : at + 1] in b"KMJ":
            width = {75: 1, 77: 2, 74: 4}[pickle[at]]
            pickle = pickle[:at] + b"J" + (draw(SIZES) % 2**32).to_bytes(4, "little") + pickle[at + 1 + width :]
    return draw(damaged(pickle, 1))


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """Pack a checkpoint's members again: renamed, repeated, compressed, left out, changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(draw(st.sampled_from(SEEDS)))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    spoilt = draw(st.sets(st.sampled_from(sorted(members)), max_size=2))
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in members.items():
            if name.endswith("data.pkl"):
                content = draw(pickles(content))
            if name not in spoilt:
                target.writestr(name, content)
                continue
            match draw(st.integers(0, 4)):
                case 0:
                    target.writestr(name.rpartition("/")[0] + draw(st.sampled_from(HOSTILE_TEXTS[:12])), content)
                case 1:
                    target.writestr(name, content)
                    target.writestr(draw(st.sampled_from([name, name.upper()])), draw(damaged(content)))
                case 2:
                    target.writestr(name, content + bytes(1_000_000), zipfile.ZIP_DEFLATED)
                case 3:
                    target.writestr(name, draw(damaged(content[:4000])))
                case _:
                    pass
    return draw(damaged(buffer.getvalue(), 2))


SAFETENSORS = [save({"a": torch.ones(2, 3), "b": torch.ones(4).half()}), save(NETWORK)]
# First bytes of other kinds of file, before those of a checkpoint.
HEADS = st.sampled_from([b"\x08", b"\x80\4", b"<", b"{", b"\x1f\x8b", b"version https://git-lfs", b"\0" * 8 + b"{"])
INPUTS = (
    st.sampled_from(SAFETENSORS).flatmap(damaged)
    | st.builds(bytes.__add__, HEADS, st.binary(max_size=40))
    | archives()
    | st.sampled_from(SEEDS).flatmap(damaged)
    | st.sampled_from(LEGACY).flatmap(damaged)
    | st.sampled_from(LEGACY).flatmap(pickles)
)


@short
@given(INPUTS)
def test_checkpoint(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "original")
        path.write_bytes(data)
        with WATCH.reading(Path(folder), Failure):
            read_network(path)


if __name__ == "__main__":
    fuzz(test_checkpoint)
