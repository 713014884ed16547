"""Targets that only look at existing files work with any configuration, and plan no build."""

import json
import os
import re
import signal
import subprocess
import urllib.request

from tests.support.project import SNAKEMAKE, Workflow


def test_serve_and_verify_look_at_what_is_there(project: Workflow) -> None:
    for target, line in (
        ("serve", "Error: there is no site in results/site yet; build it with: snakemake site"),
        ("verify_manifests", "Error: there is no manifest in results/ yet; build one with: snakemake all"),
    ):
        done = project.run("--dry-run", target)
        assert done.returncode != 0
        assert line in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    # The site was built with other resolutions, and with a model that the configuration does not name.
    for place in ("u2netp/64", "gone/96"):
        (project.folder / "results" / place).mkdir(parents=True)
        (project.folder / "results" / place / "manifest.json").write_text(json.dumps({"passed": True}))
    (project.folder / "results/site").mkdir()
    (project.folder / "results/site/index.html").write_text("<title>mine</title>")
    assert project.planned("serve") == {"serve": 1}
    assert project.planned("verify_manifests") == {"verify_manifests": 1}
    done = project.run("verify_manifests")
    assert done.returncode != 0
    assert "verify_manifests: results/gone/96/manifest.json" in done.stderr


def test_the_site_is_served_until_told_to_stop(project: Workflow) -> None:
    (project.folder / "results/site").mkdir(parents=True)
    (project.folder / "results/site/index.html").write_text("<title>mine</title>")
    process = subprocess.Popen(
        [*SNAKEMAKE, "serve", "--config", "port=0", "cors_origins=https://example.org"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    try:
        found = next(filter(None, (re.search(r"http://localhost:\d+/", line) for line in process.stdout)))
        request = urllib.request.Request(found[0], headers={"Origin": "https://example.org"})  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            assert answer.read() == b"<title>mine</title>"
            assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"
            assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    finally:
        # Like Ctrl-C, send the signal to the terminal's whole process group.
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
