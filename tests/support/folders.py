"""What lies in a folder, as somebody sees it who lists it."""

from pathlib import Path


def visible(folder: Path) -> list[Path]:
    """Return the files and folders of a folder in order, without hidden ones: every output has a seal beside it."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
