"""The Chromium of this machine."""

import shutil

from playwright.sync_api import Browser, Playwright

from workflow_scripts.shared.failures import Failure

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
# All backends run without a GPU: what is emulated in software computes the same, slowly. No site needs the network.
FLAGS = (
    "--enable-unsafe-webgpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)


def launch(playwright: Playwright, *flags: str) -> Browser:
    """Start the Chromium that is on this machine, never a downloaded one."""
    executable = next(filter(None, map(shutil.which, EXECUTABLES)), None)
    if executable is None:
        raise Failure(f"no Chromium on this machine: install one, under the name {' or '.join(EXECUTABLES)}")
    return playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *flags])
