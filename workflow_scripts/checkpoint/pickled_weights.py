"""Load what torch.save wrote without running any code in it."""

import io
import pickle
import pickletools
import re
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import torch

from workflow_scripts.checkpoint.file_kinds import SAVE, TORCH_LEGACY, shown
from workflow_scripts.shared.failures import Failure

# The names that the pickle of a state dict may use. PyTorch's restricted unpickler runs no code either, but it admits
# functions that turn a few bytes into gigabytes.
ADMITTED = re.compile(
    r"collections OrderedDict|torch Size|torch\._utils _rebuild_(tensor_v2|parameter)"
    r"|torch (?!Typed|Untyped)\w+Storage|torch\.storage UntypedStorage"
)
PLAIN = {"GLOBAL", "BINUNICODE", "SHORT_BINSTRING", "BINPERSID"}
# A U²-Net's state dict takes some 30,000 opcodes and refers to no container twice. An optimizer's state triples that.
OPCODES = 1_000_000
SHARED = 8
# The protocol that torch.save writes by default.
PROTOCOL = 2


def not_plain(path: Path, found: str = "") -> Failure:
    """Say that a file holds more than tensors in dicts, and how to take the tensors out of it."""
    return Failure(
        f"{path} is not a plain state dict: it is damaged or holds more than tensors{found and f' ({found})'}, and "
        "nothing in it was run; if you trust it, load it where its program is installed, and save the weights alone "
        f"with {SAVE}"
    )


def check_pickle(file: IO[bytes], path: Path) -> None:
    """Read one pickle's opcodes without running them. Raises Failure if it holds more than a state dict does.

    References to containers are counted, because each can double the time that hashing or printing takes. Raises
    ValueError if the pickle is cut short or has unknown opcodes.
    """
    containers: set[int] = set()
    shared = 0
    container = False
    protocol = 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if name == "PROTO":
            protocol = int(argument or 0)
        if name == "GLOBAL" and not ADMITTED.fullmatch(str(argument)):
            if str(argument).startswith("torch._utils _rebuild_"):
                raise Failure(
                    f"{path} holds tensors of a kind that is not read here ({shown(str(argument).replace(' ', '.'))}), "
                    "such as sparse, quantized or float8 ones; make them dense float32 tensors and save them again"
                )
            raise not_plain(path, whole_model(str(argument)))
        if opcode.proto > PROTOCOL and name != "PROTO":
            raise Failure(
                f"{path} was saved with pickle protocol {protocol or opcode.proto}, which is not read here; save it "
                f"again with protocol {PROTOCOL}, torch.save's default: {SAVE}, without pickle_protocol"
            )
        if name in ("BINPUT", "LONG_BINPUT") and argument is not None:
            (containers.add if container else containers.discard)(argument)
            continue
        container = argument in containers if name in ("BINGET", "LONG_BINGET") else name not in PLAIN
        shared += name in ("BINGET", "LONG_BINGET") and container
        if count > OPCODES or shared > SHARED:
            raise Failure(f"{path} holds more than a network's weights; save the weights alone with {SAVE}")


def whole_model(found: str) -> str:
    """Return a name from a pickle. If it names a class of networks, say what that means."""
    name = shown(found.replace(" ", "."))
    module = found.partition(" ")[0]
    ours = module.startswith(
        ("posix", "nt", "os", "sys", "builtins", "subprocess", "numpy", "_codecs", "collections", "argparse")
    )
    return (
        name if ours or module.startswith("torch._utils") else f"{name}, so it may be a whole pickled model or trainer"
    )


def repacked(path: Path) -> IO[bytes]:
    """Return a .pth file's zip members in an archive of our own making, in memory, for PyTorch's reader.

    Two readers may find different directories in the same file. So PyTorch's reader gets only what was checked here.
    No member's name becomes a path. Raises Failure if members would unpack to more than the file holds, and BadZipFile
    if a checksum is wrong.
    """
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as target:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise Failure(
                f"{path} has compressed members, which torch.save never writes: it was packed again; pass the file as "
                "it was saved"
            )
        if sum(member.file_size for member in members) > path.stat().st_size:
            raise Failure(f"{path} says that it holds more bytes than it has; download it again")
        # PyTorch's reader ignores upper and lower case.
        names = [member.filename.lower() for member in members]
        if len(set(names)) < len(names):
            raise Failure(f"{path} holds two members of one name: it was packed again; pass the file as it was saved")
        for member, name in zip(members, names, strict=True):
            content = archive.read(member)
            if name.endswith("data.pkl"):
                check_pickle(io.BytesIO(content), path)
            target.writestr(member.filename, content)
    copy.seek(0)
    return copy


def checked(path: Path) -> IO[bytes]:
    """Check a .pth file's pickles and open it for PyTorch's reader. A zip file has one, the older form has five."""
    with path.open("rb") as file:
        head = file.read(len(TORCH_LEGACY))
        if head.startswith(b"PK\3\4"):
            return repacked(path)
        file.seek(0)
        if not head.startswith(TORCH_LEGACY):
            check_pickle(file, path)
            raise Failure(f"{path} is a pickle that torch.save did not write; save the weights with {SAVE}")
        # A magic number, the protocol's version, the machine's sizes, the content, and the names of its storages.
        for _ in range(5):
            check_pickle(file, path)
    return path.open("rb")


def unpickle(path: Path) -> Any:
    """Load a .pth file with PyTorch's restricted unpickler. Raises Failure for anything that it does not admit."""
    try:
        with warnings.catch_warnings():
            # The warning is about the pickle's protocol, which is already checked above.
            warnings.simplefilter("ignore")
            with checked(path) as file:
                return torch.load(file, map_location="cpu", weights_only=True)
    except Failure:
        raise
    except pickle.UnpicklingError as error:
        raise not_plain(path) from error
    except Exception as error:
        # Damaged bytes can raise nearly any error in PyTorch's reader: AssertionError, struct.error, TypeError, ….
        said = str(error).splitlines()
        raise Failure(
            f"{path} cannot be read as a PyTorch checkpoint, it may be truncated "
            f"({shown(said[0]) if said else type(error).__name__}); download it again"
        ) from error
