"""List what a lock file installs, as a CycloneDX software bill of materials."""

import argparse
import json
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing
from workflow_scripts.shared.processes import run_tool

ALGORITHMS = {"sha1": HashAlgorithm.SHA_1, "sha512": HashAlgorithm.SHA_512}


def npm_component(path: str, package: dict[str, Any]) -> Component:
    """Describe one entry of package-lock.json. `path` is its place below node_modules."""
    name = path.rpartition("node_modules/")[2]
    namespace, _, short = name.rpartition("/")
    algorithm, _, digest = package["integrity"].partition("-")
    return Component(
        type=ComponentType.LIBRARY,
        group=namespace or None,
        name=short,
        version=package["version"],
        bom_ref=f"{path}@{package['version']}",
        purl=PackageURL("npm", namespace, short, package["version"]),
        hashes=[HashType(alg=ALGORITHMS[algorithm], content=b64decode(digest).hex())],
        licenses=[LicenseFactory().make_from_string(package["license"])] if "license" in package else [],
    )


def npm_bom(lock: Path) -> str:
    """Return the bill of an npm lock file as JSON, without the project itself, whose path is empty."""
    packages = json.loads(lock.read_text())["packages"]
    bom = Bom(components=[npm_component(path, package) for path, package in packages.items() if path])
    content = json.loads(JsonV1Dot6(bom).output_as_string())
    # Leave out the time and the random number, so that equal locks give equal bytes.
    del content["serialNumber"], content["metadata"]["timestamp"]
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, required=True, help="a requirements.txt with hashes, or package-lock.json")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    with replacing(arguments.output) as staging:
        if arguments.lock.suffix == ".json":
            staging.write_text(npm_bom(arguments.lock))
        else:
            options = ["--output-reproducible", "--short-PURLs", "--output-file", str(staging)]
            run_tool("cyclonedx-py", "requirements", *options, str(arguments.lock), expected=staging)
        if problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(staging.read_text()):
            raise Failure(
                f"the bill of {arguments.lock} does not fit the CycloneDX schema: {str(problem).splitlines()[0]}"
            )
        components = json.loads(staging.read_text()).get("components", [])
        if not components:
            raise Failure(f"{arguments.lock} locks no package; compile it again (see CONTRIBUTING.md)")
    print(f"{arguments.lock}: {len(components)} components")


if __name__ == "__main__":
    run(main)
