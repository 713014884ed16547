import collections
import io
import json
import os
import pickle
import random
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from workflow_scripts.checkpoint.pickled_weights import unpickle
from workflow_scripts.checkpoint.read_checkpoint import main
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.load_network import load_network
from workflow_scripts.shared.u2net import FAMILIES, U2Net

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
State = dict[str, Tensor]
X = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(5))


def arguments(checkpoint: Path) -> list[str]:
    """Return the command line. Its outputs go into the folder "out" beside the checkpoint."""
    out = checkpoint.parent / "out"
    outputs = {"weights": "weights.safetensors", "architecture": "architecture.json", "source": "source.json"}
    return [
        "--checkpoint",
        str(checkpoint),
        *(each for key, name in outputs.items() for each in (f"--{key}", str(out / name))),
    ]


def read(checkpoint: Path) -> U2Net:
    main(arguments(checkpoint))
    return load_network(checkpoint.parent / "out" / "weights.safetensors")


@torch.inference_mode()
def predict(network: U2Net) -> Tensor:
    d0: Tensor = network(X)
    return d0


@pytest.mark.parametrize(
    "layout", ["bare", "legacy", "state_dict", "module", "counters", "parameters", "reversed", "ordered"]
)
def test_each_usual_layout_gives_the_same_network(small_network: U2Net, tmp_path: Path, layout: str) -> None:
    state = dict(small_network.state_dict())
    content: Any = {
        "state_dict": {"state_dict": state, "epoch": 3, "optimizer": {"lr": 0.1}},
        "module": {f"module.{name}": tensor for name, tensor in state.items()},
        "counters": {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")},
        "parameters": {name: torch.nn.Parameter(t) if t.is_floating_point() else t for name, t in state.items()},
        "reversed": dict(reversed(state.items())),
        "ordered": collections.OrderedDict(state),
    }.get(layout, state)
    torch.save(content, tmp_path / "original", _use_new_zipfile_serialization=layout != "legacy")
    assert torch.equal(predict(read(tmp_path / "original")), predict(small_network))
    architecture = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert architecture["family"] == "custom"
    assert architecture["parameters"] == sum(p.numel() for p in small_network.parameters())


def test_widths_of_32_and_16_channels_are_inferred(
    chain: Callable[..., Any], make_network: Callable[..., U2Net], tmp_path: Path
) -> None:
    network = make_network(chain([(16, 32)] * 11))
    torch.save(network.state_dict(), tmp_path / "original")
    assert torch.equal(predict(read(tmp_path / "original")), predict(network))
    stages = json.loads((tmp_path / "out" / "architecture.json").read_text())["stages"]
    assert stages["stage1"] == [3, 16, 32]
    assert stages["stage1d"] == [64, 16, 32]


def test_u2netp_is_known_by_its_widths(make_network: Callable[..., U2Net], tmp_path: Path) -> None:
    network = make_network(FAMILIES["u2netp"])
    torch.save(network.state_dict(), tmp_path / "original")
    assert torch.equal(predict(read(tmp_path / "original")), predict(network))
    architecture = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert (architecture["family"], architecture["parameters"]) == ("u2netp", 1_131_181)


def test_half_precision_is_widened_without_loss(small_network: U2Net, tmp_path: Path) -> None:
    halved = {n: t.half() if t.is_floating_point() else t for n, t in small_network.state_dict().items()}
    torch.save(halved, tmp_path / "original")
    found = read(tmp_path / "original").state_dict()
    for name, tensor in halved.items():
        if tensor.is_floating_point():
            assert found[name].dtype == torch.float32
            assert torch.equal(found[name], tensor.float())


class RunsCode:
    """Creates a file if it is unpickled without restrictions."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.file}'",)


Spoil = Callable[[State, Path], object]


def saved(change: Callable[[State], Any], legacy: bool = False) -> Spoil:
    def spoil(state: State, path: Path) -> None:
        torch.save(change(state), path, _use_new_zipfile_serialization=not legacy)

    return spoil


def with_code(state: State, path: Path, legacy: bool) -> None:
    torch.save({**state, "extra": RunsCode(path.with_name("ran"))}, path, _use_new_zipfile_serialization=not legacy)


def truncated(share: float, legacy: bool = False) -> Spoil:
    def spoil(state: State, path: Path) -> None:
        saved(dict, legacy)(state, path)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return spoil


def edited(name: str, edit: Callable[[Tensor], Tensor]) -> Spoil:
    return saved(lambda state: {**state, name: edit(state[name])})


def with_value(value: float) -> Callable[[Tensor], Tensor]:
    def edit(tensor: Tensor) -> Tensor:
        spoilt = tensor.clone()
        spoilt.view(-1)[-1] = value
        return spoilt

    return edit


def repacked(change: Callable[[dict[str, bytes]], None], compression: int = zipfile.ZIP_STORED) -> Spoil:
    """Change the members of a good checkpoint and pack them again."""

    def spoil(state: State, path: Path) -> None:
        torch.save(state, path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members)
        with zipfile.ZipFile(path, "w", compression) as target:
            for name, content in members.items():
                target.writestr(name, content)

    return spoil


def twice(state: State, path: Path) -> None:
    """Write two members with the same name: a reader may take either."""
    torch.save(state, path)
    (name,) = [name for name in zipfile.ZipFile(path).namelist() if name.endswith("data.pkl")]
    with zipfile.ZipFile(path, "a") as target:
        target.writestr(name.replace("data.pkl", "DATA.pkl"), b"cposix\nsystem\n.")


def nested(state: State, path: Path) -> None:
    """Write an archive inside another one, as browsers make of a download."""
    torch.save(state, path)
    content = path.read_bytes()
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("u2net/data.pkl", content)


def oversized(state: State, path: Path) -> None:
    """Write a member whose header says that it is larger than the file."""
    repacked(lambda members: None)(state, path)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\1\2")
    content[at + 20 : at + 28] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(content)


def pickled(opcodes: bytes) -> Spoil:
    """Write a checkpoint with these opcodes as its pickle."""
    return repacked(lambda members: members.update({name: opcodes for name in members if name.endswith("data.pkl")}))


# (((x, x), (x, x)), …): a tuple of 64 levels has 2 ** 64 values for any code that hashes or prints it.
TUPLES = b"}N" + b"".join(b"q%ch%c\x86" % (level, level) for level in range(64)) + b"Ns."
# Each one refers to the dict again, to copy it.
COPIES = (
    b"}q\0(" + b"".join(b"K%cN" % key for key in range(200)) + b"u" + 50 * b"ccollections\nOrderedDict\nh\0\x85R" + b"."
)
ADMITTED_BY_PYTORCH = b"cbuiltins\nbytearray\nJ\0\0\0\x40\x85R."

NAME = "stage3.rebnconv2.conv_s1.weight"

BAD: dict[str, tuple[Spoil, Sequence[str]]] = {
    "truncated": (truncated(0.6), ["truncated"]),
    "truncated by a byte": (truncated(0.99999), ["truncated"]),
    "truncated legacy": (truncated(0.6, legacy=True), ["truncated"]),
    "truncated in the legacy header": (truncated(0.001, legacy=True), ["original"]),
    "runs code": (lambda s, p: with_code(s, p, legacy=False), ["posix.system", "nothing in it was run"]),
    "runs code, legacy": (lambda s, p: with_code(s, p, legacy=True), ["posix.system", "nothing in it was run"]),
    "runs code, bare pickle": (
        lambda _, p: p.write_bytes(pickle.dumps(RunsCode(p.with_name("ran")), protocol=2)),
        ["posix.system", "nothing in it was run"],
    ),
    "whole network": (
        saved(lambda _: U2Net(FAMILIES["u2netp"])),
        ["u2net.U2Net", "whole pickled model", "state_dict()"],
    ),
    "web page": (lambda _, p: p.write_text("\n <!DOCTYPE html><p>Quota exceeded</p>"), ["web page"]),
    "text": (lambda _, p: p.write_text("weights\n"), ["no checkpoint that is known here"]),
    "empty file": (lambda _, p: p.touch(), ["is empty"]),
    "a list": (saved(lambda s: list(s.values())), ["holds no state dict of named tensors"]),
    "empty dict": (saved(lambda _: {}), ["holds no state dict of named tensors"]),
    "numbers for tensors": (saved(lambda s: {**s, NAME: 3}), [f"lacks {NAME}"]),
    "another network": (
        saved(lambda _: torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(2, 2)).state_dict()),
        ["no U²-Net", "0.bias, 0.weight, 1.bias and 1 more"],
    ),
    "missing key": (saved(lambda s: {n: t for n, t in s.items() if n != NAME}), [f"lacks {NAME}"]),
    "missing stage": (
        saved(lambda s: {n: t for n, t in s.items() if not n.startswith("stage4d")}),
        ["no U²-Net", "lacks stage4d"],
    ),
    "unknown keys": (
        saved(lambda s: {**s, **{f"head.{i}": torch.zeros(1) for i in range(5)}}),
        ["has unknown head.0, head.1, head.2 and 2 more"],
    ),
    "wrong shape": (edited(NAME, lambda t: t[..., :2]), [f"{NAME} [4, 4, 3, 2] instead of [4, 4, 3, 3]"]),
    "no kernel": (edited("stage2.rebnconvin.conv_s1.weight", lambda t: t[:, 0, 0, 0]), ["no U²-Net"]),
    "NaN": (edited(NAME, with_value(float("nan"))), [f"{NAME} holds NaN or infinite values"]),
    "infinity": (edited("side4.bias", with_value(float("inf"))), ["side4.bias holds NaN or infinite values"]),
    "overflow of a double": (
        edited(NAME, lambda t: with_value(1e300)(t.double())),
        [f"{NAME} holds NaN or infinite values"],
    ),
    "compressed members": (repacked(lambda _: None, zipfile.ZIP_DEFLATED), ["compressed members"]),
    "members of one name": (twice, ["two members of one name"]),
    "a member that leads out": (
        repacked(lambda members: members.update({"../../planted": b"planted"})),
        ["not in a subdirectory"],
    ),
    "an archive in an archive": (nested, ["original"]),
    "pickle protocol 4": (
        lambda s, p: torch.save(s, p, pickle_protocol=4),
        ["pickle protocol 4", "without pickle_protocol"],
    ),
    "more bytes than it has": (oversized, ["more bytes than it has"]),
    "tuples in tuples": (pickled(TUPLES), ["more than a network's weights"]),
    "copies of a dict": (pickled(COPIES), ["more than a network's weights"]),
    "a gigabyte out of a number": (pickled(ADMITTED_BY_PYTORCH), ["builtins.bytearray", "nothing in it was run"]),
    "opcodes without end": (pickled(b"}" + 1_100_000 * b"q\0N" + b"."), ["more than a network's weights"]),
    "a prefix for some": (
        saved(lambda s: {**s, f"module.{NAME}": s[NAME]}),
        [f"has unknown module.{NAME}"],
    ),
    "keys that a terminal obeys": (
        saved(lambda s: {**s, "\x1b[2Jhead\n": torch.zeros(1)}),
        ["has unknown '\\x1b[2Jhead\\n'"],
    ),
    "no channels": (
        saved(lambda s: {n: t[:0] if "stage4.rebnconv1" in n and t.dim() else t for n, t in s.items()}),
        ["no U²-Net", "a stage of no channels"],
    ),
    "complex numbers": (edited(NAME, lambda t: t.to(torch.complex64)), [f"{NAME} holds torch.complex64"]),
    "truth values": (edited(NAME, lambda t: t > 0), [f"{NAME} holds torch.bool"]),
    "integers": (edited(NAME, lambda t: t.to(torch.int8)), [f"{NAME} holds torch.int8"]),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_checkpoint_is_refused_in_one_line_and_changes_nothing(
    small_network: U2Net, tmp_path: Path, refusal: Refusal, case: str
) -> None:
    spoil, words = BAD[case]
    checkpoint = tmp_path / "original"
    spoil(dict(small_network.state_dict()), checkpoint)
    message = refusal(main, *arguments(checkpoint))
    assert str(checkpoint) in message
    for word in words:
        assert word in message
    assert list(tmp_path.iterdir()) == [checkpoint]
    out = tmp_path / "out"
    out.mkdir()
    names = ("weights.safetensors", "architecture.json", "source.json")
    for name in names:
        (out / name).write_text("good")
    refusal(main, *arguments(checkpoint))
    assert {file.name: file.read_text() for file in out.iterdir()} == dict.fromkeys(names, "good")
    assert not (tmp_path / "ran").exists()


def test_the_pickle_that_is_refused_would_have_run_code(tmp_path: Path) -> None:
    (tmp_path / "original").write_bytes(pickle.dumps(RunsCode(tmp_path / "ran")))
    pickle.loads((tmp_path / "original").read_bytes())  # noqa: S301
    assert (tmp_path / "ran").exists()


def test_an_onnx_file_that_is_none_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    checkpoint = tmp_path / "original"
    checkpoint.write_bytes(b"\x08\x07 and no more")
    assert "cannot be read as an ONNX file" in refusal(main, *arguments(checkpoint))
    assert list(tmp_path.iterdir()) == [checkpoint]


def test_what_the_workflow_did_not_plan_for_is_refused(small_network: U2Net, tmp_path: Path, refusal: Refusal) -> None:
    checkpoint = tmp_path / "original"
    torch.save(small_network.state_dict(), checkpoint)
    message = refusal(main, *arguments(checkpoint), "--kind=onnx", "--origin=mine/u2net.onnx")
    assert message.startswith("script: mine/u2net.onnx is no ONNX file, which its source did not say")


def test_a_damaged_safetensors_file_is_refused(small_network: U2Net, tmp_path: Path, refusal: Refusal) -> None:
    checkpoint = tmp_path / "original"
    save_file(small_network.state_dict(), checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-7])
    assert "cannot be read as a safetensors file" in refusal(main, *arguments(checkpoint))


@pytest.mark.parametrize("kind", ["missing", "folder", "link to a device", "pipe", "link to nothing"])
def test_a_path_without_a_file_is_refused(tmp_path: Path, refusal: Refusal, kind: str) -> None:
    checkpoint = tmp_path / "original"
    match kind:
        case "folder":
            checkpoint.mkdir()
        case "link to a device":
            checkpoint.symlink_to("/dev/zero")
        case "link to nothing":
            checkpoint.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(checkpoint)
    assert str(checkpoint) in refusal(main, *arguments(checkpoint))


def test_stages_that_do_not_fit_one_another_are_refused(
    chain: Callable[..., Any], tmp_path: Path, refusal: Refusal
) -> None:
    stages = chain([(2, 4)] * 11)
    stages["stage3"] = (5, 2, 4)
    torch.save(U2Net(stages).state_dict(), tmp_path / "original")
    assert "no U²-Net" in refusal(main, *arguments(tmp_path / "original"))


def test_a_network_for_other_than_three_channels_is_refused(
    chain: Callable[..., Any], tmp_path: Path, refusal: Refusal
) -> None:
    torch.save(U2Net({**chain([(2, 4)] * 11), "stage1": (1, 2, 4)}).state_dict(), tmp_path / "original")
    assert "takes 1 input channels; three are supported" in refusal(main, *arguments(tmp_path / "original"))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("legacy", [False, True])
def test_damaged_bytes_never_end_in_a_traceback(tmp_path: Path, legacy: bool) -> None:
    buffer = io.BytesIO()
    state = {"a.weight": torch.ones(3, 4), "a.count": torch.zeros(2, dtype=torch.long), "b": torch.ones(2).half()}
    torch.save(state, buffer, _use_new_zipfile_serialization=not legacy)
    good, path, chance = buffer.getvalue(), tmp_path / "original", random.Random(1)  # noqa: S311
    refused: list[str] = []
    for _ in range(400):
        damaged = bytearray(good)
        for _ in range(chance.choice((1, 3))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            unpickle(path)
        except Failure as failure:
            refused.append(str(failure))
    assert len(refused) > 100
    assert not any("\n" in message for message in refused)


def test_the_command_itself_prints_one_line_and_exits_with_1(tmp_path: Path) -> None:
    checkpoint = tmp_path / "original"
    torch.save(RunsCode(tmp_path / "ran"), checkpoint)
    done = subprocess.run(
        [sys.executable, "-m", main.__module__, *arguments(checkpoint)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"read_checkpoint: {checkpoint} is not a plain state dict")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [checkpoint]


def test_member_names_are_no_paths(small_network: U2Net, tmp_path: Path) -> None:
    def add(members: dict[str, bytes]) -> None:
        members.update({"original/../../planted": b"planted", "original//planted": b"planted"})

    checkpoint = tmp_path / "folder/original"
    checkpoint.parent.mkdir()
    repacked(add)(dict(small_network.state_dict()), checkpoint)
    with zipfile.ZipFile(checkpoint, "a") as target:
        link = zipfile.ZipInfo("original/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(link, "../../../../etc/passwd")
    assert torch.equal(predict(read(checkpoint)), predict(small_network))
    written = {path.name for path in tmp_path.rglob("[!.]*")} - {"folder", "original", "out"}
    assert written == {"weights.safetensors", "architecture.json", "source.json"}


def test_weights_that_share_memory_are_written_apart(small_network: U2Net, tmp_path: Path) -> None:
    state = dict(small_network.state_dict())
    first, second = "stage1.rebnconv2.bn_s1.bias", "stage1.rebnconv3.bn_s1.bias"
    state[second] = state[first]
    torch.save(state, tmp_path / "original")
    found = read(tmp_path / "original").state_dict()
    assert torch.equal(found[second], found[first])


# This runs in a process of its own, because a process's peak of memory never falls.
BOMBS = """
import re, sys
from pathlib import Path
from workflow_scripts.shared.failures import Failure
from workflow_scripts.checkpoint.read_checkpoint import main
import torch
def control(path):
    try:
        torch.load(path, weights_only=True)
    except Exception as error:
        raise Failure(str(error))
def peak():
    # Of this program alone: ru_maxrss starts with what the process had that it was forked from.
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
for path in [*sys.argv[1:], "control"]:
    before = peak()
    try:
        if path == "control":
            control(sys.argv[1])
        else:
            outputs = ["--weights", path + ".w", "--architecture", path + ".a", "--source", path + ".s"]
            main(["--checkpoint", path, *outputs])
        print("read", end=" ")
    except Failure as failure:
        print("refused", end=" ")
    print(peak() - before)
"""
BOMB_BYTES = 512 * 1024 * 1024


def deflated(name: str) -> Spoil:
    """Write a member that is small in the file and large once unpacked."""

    def change(members: dict[str, bytes]) -> None:
        members.update({member: bytes(BOMB_BYTES) for member in members if member.endswith(name)})

    return repacked(change, zipfile.ZIP_DEFLATED)


def views(_: State, path: Path) -> None:
    """Write a whole network of 17 GB in which each weight is a view of a single number."""
    stages = {
        stage: (3 if stage == "stage1" else 4000 if stage.endswith("d") else 2000, 2000, 2000)
        for stage in FAMILIES["u2netp"]
    }
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in U2Net(stages).state_dict().items()}
    torch.save({name: torch.zeros([]).expand(shape) for name, shape in shapes.items()}, path)


def storages(state: State, path: Path) -> None:
    """Write the older form. Its reader creates the storages before it looks at their content."""
    torch.save({"weight": torch.ones(5)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"K\5", b"J\xff\xff\xff\x7f"))


def test_bombs_take_no_memory(small_network: U2Net, tmp_path: Path) -> None:
    bombs = {"weights": deflated("data/0"), "pickle": deflated("data.pkl"), "views": views, "storages": storages}
    for name, spoil in bombs.items():
        spoil(dict(small_network.state_dict()), tmp_path / name)
        assert (tmp_path / name).stat().st_size < 2_000_000
    command = [sys.executable, "-c", BOMBS, *(str(tmp_path / name) for name in bombs)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines()]
    assert [verdict for verdict, _ in found] == ["refused"] * (len(bombs) + 1)
    *taken, control = [int(taken) for _, taken in found]
    assert max(taken) < 100_000_000, found
    # PyTorch by itself unpacks the first file, so the measurement can see that.
    assert control > BOMB_BYTES // 2
