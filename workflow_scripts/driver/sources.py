"""The checkout's files that rules depend on: scripts with the modules that they import, environments, the page."""

import ast
import re
from functools import cache
from pathlib import Path

PACKAGE = "workflow_scripts"
# The environments that `create_environment` builds for the site. `node` has a rule of its own.
ENVIRONMENTS = ("torch", "onnx", "tensorflow", "litert", "provenance", "publish")
# The environments that it builds for everything else. Only the tests use `fuzz` and `rembg`.
ENVIRONMENTS_APART = ("draw", "fuzz", "rembg")
# The lock files of what the site is made with, by the name of their bill of materials.
BILLS = {
    "driver": "requirements.txt",
    **{environment: f"envs/{environment}.txt" for environment in ENVIRONMENTS},
    "node": "envs/node/requirements.txt",
    "node-packages": "envs/node/package-lock.json",
    "page-packages": "web/package-lock.json",
}
PAGE_FILES = (
    *("index.html", "devices.html", "package.json", "tsconfig.json", "tsconfig.worker.json", "vite.config.ts"),
    *("tsconfig.devices.json", "vite.devices.config.ts"),
)
LIBRARY_FILES = ("package.json", "tsconfig.json", "tsconfig.library.json", "vite.library.config.ts")
# How the paths of the checkout's own files begin in rules.
OWN_FILES = (
    *("Snakefile", "config.", "docs/", "envs/", "LICENSE", "profiles/", "requirements.txt", "rules/", "web/"),
    f"{PACKAGE}/",
)
BENCHMARK_FILES = ("web/tsconfig.benchmark.json", "web/vite.benchmark.config.ts")


@cache
def imported_by(root: Path, module: str) -> tuple[str, ...]:
    """Return the full names of this package's modules that `module` imports directly."""
    tree = ast.parse((root / file_of(module)).read_text())
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{PACKAGE}."):
            # `from package import module` and `from package.module import name` are written alike.
            nested = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in nested if (root / file_of(name)).is_file()]
            found.update(modules or [node.module])
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.startswith(f"{PACKAGE}."))
    return tuple(sorted(found))


def file_of(module: str) -> str:
    """Return the path of a module below the checkout."""
    return f"{module.replace('.', '/')}.py"


@cache
def code_of(root: Path, module: str) -> tuple[str, ...]:
    """Return the files of a module and of all modules that it imports, directly or through others, in order."""
    reached = {module}
    frontier = [module]
    while frontier:
        for name in imported_by(root, frontier.pop()):
            if name not in reached:
                reached.add(name)
                frontier.append(name)
    return tuple(sorted(map(file_of, reached)))


def scripts_with(root: Path, script: str) -> list[str]:
    """Return a script for Node.js and the files beside it that it requires."""
    required = re.findall(r'require\("\./([\w.]+\.cts)"\)', (root / script).read_text())
    return [script, *(str(Path(script).with_name(name)) for name in required)]


def needed_by(root: Path, command: str) -> dict[str, list[str]]:
    """Return what a rule's command starts, as inputs: `environment` (stamps) and `code` (the script and its modules).

    The command itself names both: .venvs/ENVIRONMENT/bin/python -m workflow_scripts.PACKAGE.SCRIPT, or the path of a
    script for Node.js.
    """
    environments = sorted(set(re.findall(r"\.venvs/(\w+)/bin/(?:python|node)\b", command)))
    modules = re.findall(rf"-m ({PACKAGE}\.\w+\.\w+)", command)
    node_scripts = re.findall(rf"\b{PACKAGE}/[\w/]+\.cts\b", command)
    needed = {
        "environment": [f".venvs/{environment}/installed.txt" for environment in environments],
        "code": sorted(
            {
                *(file for script in node_scripts for file in scripts_with(root, script)),
                *(file for module in modules for file in code_of(root, module)),
            }
        ),
    }
    return {name: files for name, files in needed.items() if files}


def files_below(root: Path, folder: str) -> list[str]:
    """Return every file below a folder of the checkout in order, without the unit tests."""
    files = [path for path in (root / folder).rglob("*") if path.is_file() and ".test." not in path.name]
    return sorted(str(path.relative_to(root)) for path in files)


def page_sources(root: Path) -> list[str]:
    """Return every file from which the page is built. It is built on the library."""
    folders = ("web/src", "web/devices", "web/lib", "web/build")
    return [
        *(f"web/{name}" for name in PAGE_FILES),
        *(file for folder in folders for file in files_below(root, folder)),
    ]


def library_sources(root: Path) -> list[str]:
    """Return every file from which the library for other pages is built."""
    folders = ("web/lib", "web/build")
    return [
        *(f"web/{name}" for name in LIBRARY_FILES),
        *(file for folder in folders for file in files_below(root, folder)),
    ]


def benchmark_page_sources(root: Path) -> list[str]:
    """Return every file that the benchmark's page is built from. It sets up TensorFlow.js as the site's page does."""
    return [*page_sources(root), *BENCHMARK_FILES, *files_below(root, "web/benchmark")]
