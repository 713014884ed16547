"""The Chromium of this machine."""

import shutil

from playwright.sync_api import Browser, Playwright

from workflow_scripts.shared.failures import Failure

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
# Without a GPU, Chromium emulates webgl and webgpu in software: slow, but right. The page needs no network.
FLAGS = (
    "--enable-unsafe-webgpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)


def launch(playwright: Playwright, *flags: str) -> Browser:
    """Start the Chromium of this machine, never a downloaded one. Raises Failure if it has none."""
    return playwright.chromium.launch(executable_path=executable(), args=[*FLAGS, *flags])


def executable() -> str:
    """Return the path of this machine's Chromium. Raises Failure if it has none."""
    found = next(filter(None, map(shutil.which, EXECUTABLES)), None)
    if found is None:
        raise Failure(f"there is no Chromium on this machine: install one under the name {' or '.join(EXECUTABLES)}")
    return found
