"""The documents lead to what exists."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

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


def test_the_examples_of_the_library_use_what_the_readmes_site_has() -> None:
    text = (ROOT / "docs/library.md").read_text()
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    models = re.findall(r"loadModel\('(\w+)'|model=\"(\w+)\"|/models/(\w+)/", text)
    # One section needs masks. It says how to add its model to the site.
    assert Counter("".join(found) for found in models) == {config["model"]: 8, "u2netp": 1}
    assert "snakemake --cores 4 site --config model=u2netp" in text
    sizes = re.findall(r"resolution: (\d+)|/models/\w+/(\d+)", text)
    assert {int("".join(found)) for found in sizes} <= set(config["resolutions"])
