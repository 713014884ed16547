"""Tell what a file is by its first bytes, never by its name."""

import zipfile
from pathlib import Path

from workflow_scripts.shared.failures import Failure

HEAD_BYTES = 512
TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
SAVE = "torch.save(model.state_dict(), PATH)"

# Files that people pass by mistake: the first bytes, what the file is, and what to do.
OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file that it stands for",
        "fetch the file with git lfs pull",
    ),
    (b"<?xml", "an XML file", "pass the PyTorch or ONNX file that it was made of"),
    (b"<net", "an OpenVINO model", "pass the PyTorch or ONNX file that it was made of"),
    (b"<", "a web page, not a checkpoint", "download the file itself"),
    (b"\x89HDF", "an HDF5 file, as Keras writes them", "pass a PyTorch or ONNX checkpoint"),
    (b"\x1f\x8b", "packed with gzip", "unpack it"),
    (b"BZh", "packed with bzip2", "unpack it"),
    (b"\xfd7zXZ", "packed with xz", "unpack it"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "packed with zstandard", "unpack it"),
    (b"\x93NUMPY", "a NumPy array", "pass the whole state dict, saved with " + SAVE),
    (b"GGUF", "a GGUF file", "pass a PyTorch or ONNX checkpoint"),
    (b"\x89PNG", "a picture", "pass the checkpoint"),
    (b"\xff\xd8\xff", "a picture", "pass the checkpoint"),
    (b"{", "a JSON text", "pass the PyTorch or ONNX file that it belongs to or was made of"),
)


def shown(text: str) -> str:
    """Return text from a file so that it fits into one line: unprintable characters escaped, long text cut."""
    return text if text.isprintable() and len(text) <= 200 else repr(text[:200])


def archive_kind(path: Path) -> str:
    """Return "pth" if a zip archive is what torch.save writes. Raises Failure for any other archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.lower() for name in archive.namelist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise Failure(
            f"{path} cannot be read as a PyTorch checkpoint, it may be truncated ({shown(str(error))}); "
            "download it again"
        ) from error
    folder = next((name.removesuffix("data.pkl") for name in names if name.endswith("data.pkl")), None)
    if folder is not None:
        if f"{folder}constants.pkl" in names or any(name.startswith(f"{folder}code/") for name in names):
            raise Failure(
                f"{path} is a TorchScript model, which is a program; load it with torch.jit.load and save its weights "
                f"with {SAVE}"
            )
        return "pth"
    if any(name.endswith(("models/model.json", "serialized_exported_program.json")) for name in names):
        raise Failure(
            f"{path} is a program of torch.export; load it with torch.export.load and save its weights with "
            "torch.save(program.state_dict, PATH)"
        )
    held = ", ".join(map(shown, names[:3])) or "nothing"
    raise Failure(f"{path} is a zip archive of something else ({held}); unpack it, and pass the checkpoint inside")


def kind_of(path: Path) -> str:
    """Return how a checkpoint is to be read: "pth", "safetensors" or "onnx".

    "onnx" means that it may be an ONNX file. Raises Failure for anything else, saying what it is and what to do.
    """
    if not path.is_file():
        raise Failure(f"no checkpoint at {path}; give the path of a file")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise Failure(f"{path} is empty; download it again")
    if head.startswith(b"PK\3\4"):
        return archive_kind(path)
    if head.startswith(TORCH_LEGACY):
        return "pth"
    if head[:1] == b"\x80" and head[1:2] in b"\2\3\4\5":
        # Read only as much as is needed to say what it holds.
        return "pth"
    # A safetensors file begins with the length of its header, which is JSON.
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= path.stat().st_size - 8:
        return "safetensors"
    if head[4:8] == b"TFL3":
        raise Failure(f"{path} is a TensorFlow Lite model; pass the PyTorch or ONNX file that it was made of")
    if head[257:262] == b"ustar":
        raise Failure(f"{path} is a tar archive; unpack it, and pass the checkpoint inside")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for start, what, advice in OTHERS:
        if text.lower().startswith(start.lower()) if start.startswith(b"<") else text.startswith(start):
            raise Failure(f"{path} is {what}; {advice}")
    # An ONNX file begins with its version, a small number.
    if head[:1] == b"\x08" and head[1:2] < b"\x80":
        return "onnx"
    raise Failure(
        f"{path} is no checkpoint that is known here: pass a PyTorch state dict, a .safetensors or an .onnx file"
    )
