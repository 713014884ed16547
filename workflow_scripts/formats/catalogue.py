"""The site's catalogue of models: the files that each entry names, and whether manifests vouch for them."""

from collections.abc import Iterator, Sequence
from typing import Any

from workflow_scripts.formats.manifest import Manifest, Recorded
from workflow_scripts.shared.failures import Failure


def references(value: Any) -> Iterator[dict[str, Any]]:
    """Yield everything in a catalogue that has a url."""
    if isinstance(value, dict):
        if "url" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def shown_parity(figures: dict[str, float]) -> dict[str, float]:
    """Return those figures of one hop that the catalogue shows."""
    return {
        "max_abs": figures["max_abs"],
        "p99_abs": figures["p99_abs"],
        "psnr_db": figures["drawing_psnr_db"],
        "ssim": figures["drawing_ssim"],
    }


def source_of(manifest: Manifest, engine: str, dtype: str) -> dict[str, Recorded]:
    """Return the files of one model that runs in a browser, as its manifest records them."""
    folder = f"results/{manifest.model}/{manifest.resolution}"
    start = f"{folder}/tflite/{dtype}.tflite" if engine == "litert" else f"{folder}/tfjs/{dtype}/"
    return {name: recorded for name, recorded in manifest.artifacts.items() if name.startswith(start)}


def onnx_of(model: str) -> str:
    """Return the path of a model's ONNX file of free size, as manifests name it."""
    return f"results/{model}/onnx/dynamic.onnx"


def check_vouched(models: Sequence[dict[str, Any]], manifests: Sequence[Manifest]) -> None:
    """Raise Failure unless manifests vouch for every file from which the models of a catalogue were made."""
    known = {(manifest.model, manifest.resolution): manifest for manifest in manifests}
    for model in models:
        for size in model["resolutions"]:
            manifest = known.get((model["name"], size["resolution"]))
            for artifact in size["dtypes"]:
                engine, dtype = artifact["engine"], artifact["dtype"]
                what = f"{model['name']} at {size['resolution']} in {dtype} for {engine}"
                figures = manifest.checks.parity.get(f"{engine}-{dtype}") if manifest else None
                if manifest is None or figures is None:
                    raise Failure(f"the site offers {what}, which no manifest vouches for; build the site again")
                recorded = {name: file.sha256 for name, file in source_of(manifest, engine, dtype).items()}
                if artifact.get("made_of") != recorded or artifact["parity"] != shown_parity(figures):
                    raise Failure(
                        f"the site's {what} was not made of what its manifest vouches for; build it again: add this to "
                        f"the command that built it: --forcerun share_weights"
                    )
        if onnx := model.get("onnx"):
            name = onnx_of(model["name"])
            of_model = [manifest for manifest in manifests if manifest.model == model["name"]]
            if not all(name in made.artifacts and made.artifacts[name].sha256 == onnx["sha256"] for made in of_model):
                raise Failure(
                    f"the site's {onnx['url']} is not the {name} that manifests vouch for; build the site again"
                )
