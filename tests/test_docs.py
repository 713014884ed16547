"""The documents lead to what exists."""

import re
from pathlib import Path

import pytest

from tests.support.project import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "weights").glob("*.md")])


def missing(document: Path) -> list[str]:
    """Return the links of a document to files that are not there; addresses of other hosts are not looked at."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    return [link for link in links if "://" not in link and not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    assert missing(document) == []


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("[a](page.md) [b](absent.md#part) [c](https://example.org/)")
    assert missing(tmp_path / "page.md") == ["absent.md"]


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130
