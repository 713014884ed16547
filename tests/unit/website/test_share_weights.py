import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.support.manifests import manifest, write_vouched
from workflow_scripts.convert import convert_tflite
from workflow_scripts.formats.catalogue import check_vouched
from workflow_scripts.formats.manifest import Checks, read_manifest
from workflow_scripts.shared.failures import Failure
from workflow_scripts.website import share_weights
from workflow_scripts.website.share_weights import main

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]
RANDOM = np.random.default_rng(4)
KERNEL = RANDOM.normal(size=(3, 3, 3, 16)).astype(np.float32)
BIAS = RANDOM.normal(size=16).astype(np.float32)
SIDE = RANDOM.normal(size=(1, 1, 16, 1)).astype(np.float32)
SIDE_BIAS = np.array([0.25], np.float32)
WEIGHTS = {"kernel": KERNEL, "bias": BIAS, "side": SIDE, "side_bias": SIDE_BIAS}
ELEMENTS = sum(weight.size for weight in WEIGHTS.values())
FIGURES = {"max_abs": 7e-5, "mean_abs": 1e-6, "p99_abs": 2e-5, "drawing_psnr_db": 90.0, "drawing_ssim": 1.0}
RESOLUTIONS = (32, 64)


def write_graph(path: Path, resolution: int) -> None:
    """Write a network whose weights do not depend on its resolution, except for the size that it enlarges to."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [1, resolution, resolution, 3], name="x")
        hidden = tf.nn.bias_add(tf.nn.conv2d(x, tf.constant(KERNEL), 1, "SAME"), tf.constant(BIAS))
        half = tf.nn.max_pool2d(hidden, 2, 2, "VALID")
        side = tf.nn.bias_add(tf.nn.conv2d(half, tf.constant(SIDE), 1, "SAME"), tf.constant(SIDE_BIAS))
        size = (resolution, resolution)
        tf.sigmoid(tf.image.resize_bilinear(side, size, half_pixel_centers=True), name="d0")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def write_tfjs(folder: Path, resolution: int) -> None:
    """Write float weights and the size as convert_tfjs does: in one group and one shard."""
    folder.mkdir(parents=True)
    values = {"size": np.array([resolution] * 2, np.int32), **WEIGHTS}
    specs = [{"name": n, "shape": list(v.shape), "dtype": str(v.dtype)} for n, v in values.items()]
    (folder / "group1-shard1of1.bin").write_bytes(b"".join(v.tobytes() for v in values.values()))
    group = {"paths": ["group1-shard1of1.bin"], "weights": specs}
    (folder / "model.json").write_text(json.dumps({"weightsManifest": [group]}))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model's manifests and browser artifacts at two resolutions; the LiteRT files are real ones."""
    folder = tmp_path_factory.mktemp("project") / "results/mine"
    onnx = folder / "onnx/dynamic.onnx"
    onnx.parent.mkdir(parents=True)
    onnx.write_bytes(b"onnx")
    for resolution in RESOLUTIONS:
        root = folder / str(resolution)
        write_tfjs(root / "tfjs/float32", resolution)
        write_graph(root / "model.pb", resolution)
        for dtype in convert_tflite.DTYPES:
            output = root / f"tflite/{dtype}.tflite"
            convert_tflite.main(["--graph", str(root / "model.pb"), "--dtype", dtype, "--output", str(output)])
        hops = ("tfjs-float32", "litert-float32", "litert-float16")
        parity = {hop: {**FIGURES, "drawing_psnr_db": 90.0 + index} for index, hop in enumerate(hops)}
        made = manifest(
            "mine",
            resolution,
            multiply_adds=432 * resolution**2,
            architecture={"parameters": ELEMENTS},
            checks=Checks(parity, {}),
        )
        write_vouched(folder.parents[1], made, onnx)
    (folder / "probe/probes").mkdir(parents=True)
    (folder / "probe/probes/a.d0").write_bytes(b"d0")
    (folder / "probe/probe.json").write_text(json.dumps({"reference": {"url": "probes/a.d0"}}))
    return folder


def arguments(results: Path, output: Path, *tflite_dtypes: str) -> list[str]:
    manifests = [str(results / str(resolution) / "manifest.json") for resolution in reversed(RESOLUTIONS)]
    return [
        *("--manifests", *manifests, "--dtypes", "float32"),
        *("--tflite-dtypes", *tflite_dtypes, "--output", str(output)),
        *("--own-resolution", "48", "--probe", str(results / "probe")),
    ]


@pytest.fixture
def shared(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The shards are so small that even these weights are cut.
    monkeypatch.setattr(share_weights, "SHARD_BYTES", 1000)
    main(arguments(results, tmp_path / "shared", "float32", "float16"))
    return tmp_path / "shared"


def entries(shared: Path) -> dict[tuple[int, str, str], dict[str, Any]]:
    """The catalogue's artifacts by resolution, engine and dtype."""
    entry = json.loads((shared / "entry.json").read_text())
    return {
        (size["resolution"], artifact["engine"], artifact["dtype"]): artifact
        for size in entry["resolutions"]
        for artifact in size["dtypes"]
    }


def joined(shared: Path, url: str) -> bytes:
    """Join a .tflite file from the parts that its recipe names, as any host of the folder can."""
    recipe = json.loads((shared / url).read_text())
    parts = {
        kind: b"".join((shared / url).parent.joinpath(path).read_bytes() for path in recipe[kind])
        for kind in ("skeleton", "weights")
    }
    data, taken = b"", {"skeleton": 0, "weights": 0}
    for index, length in enumerate(recipe["pieces"]):
        kind = "weights" if index % 2 else "skeleton"
        data += parts[kind][taken[kind] : taken[kind] + length]
        taken[kind] += length
    assert taken == {kind: len(part) for kind, part in parts.items()}
    assert (len(data), hashlib.sha256(data).hexdigest()) == (recipe["bytes"], recipe["sha256"])
    return data


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("dtype", convert_tflite.DTYPES)
def test_the_parts_are_the_tflite_file_again(results: Path, shared: Path, resolution: int, dtype: str) -> None:
    artifact = entries(shared)[resolution, "litert", dtype]
    digest = artifact["model"]["sha256"]
    assert artifact["model"]["url"] == f"models/mine/{resolution}/litert-{dtype}/recipe.{digest}.json"
    recipe = json.loads((shared / artifact["model"]["url"]).read_text())
    assert recipe["input"] == {"name": "x", "shape": [1, resolution, resolution, 3]}
    assert recipe["output"] == {"name": "d0", "shape": [1, resolution, resolution, 1]}
    assert joined(shared, artifact["model"]["url"]) == (results / f"{resolution}/tflite/{dtype}.tflite").read_bytes()


def test_the_catalogue_names_every_file_with_its_digest(shared: Path) -> None:
    named = {"probes/a.d0", json.loads((shared / "entry.json").read_text())["onnx"]["url"]}
    for artifact in entries(shared).values():
        for file in (artifact["model"], *artifact["weights"], artifact["address"]):
            content = (shared / file["url"]).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
            named.add(file["url"])
    assert named == {str(path.relative_to(shared)) for path in shared.glob("*/**/*") if path.is_file()}


def test_the_entry_has_the_models_own_resolution_and_its_probe(shared: Path) -> None:
    entry = json.loads((shared / "entry.json").read_text())
    assert entry["own_resolution"] == 48
    assert entry["probe"] == {"reference": {"url": "probes/a.d0"}}
    assert (shared / "probes/a.d0").read_bytes() == b"d0"


def test_each_artifact_has_an_address_without_a_digest(results: Path, shared: Path) -> None:
    for (resolution, engine, dtype), artifact in entries(shared).items():
        address, folder = artifact["address"]["url"], f"models/mine/{resolution}"
        if engine == "litert":
            assert address == f"{folder}/{dtype}.tflite"
            assert (shared / address).read_bytes() == (results / f"{resolution}/tflite/{dtype}.tflite").read_bytes()
        else:
            assert address == f"{folder}/{dtype}/model.json"
            # The shards' paths are relative, so the copy must be in the same folder.
            assert (shared / address).parent == (shared / artifact["model"]["url"]).parent
            assert (shared / address).read_bytes() == (shared / artifact["model"]["url"]).read_bytes()


@pytest.mark.parametrize(("engine", "dtype"), [("tfjs", "float32"), ("litert", "float32"), ("litert", "float16")])
def test_resolutions_share_their_weights(shared: Path, engine: str, dtype: str) -> None:
    small, large = (
        {file["url"]: file["bytes"] for file in entries(shared)[resolution, engine, dtype]["weights"]}
        for resolution in RESOLUTIONS
    )
    common = small.keys() & large.keys()
    assert sum(small[url] for url in common) == ELEMENTS * (2 if dtype == "float16" else 4)
    assert len(common) == (2 if dtype == "float32" else 1)
    # The rest belongs to one resolution only.
    assert small.keys() != large.keys()


def test_each_entry_has_its_own_hops_figures(shared: Path) -> None:
    found = entries(shared)
    assert list(found)[:3] == [(32, "tfjs", "float32"), (32, "litert", "float32"), (32, "litert", "float16")]
    assert [artifact["parity"]["psnr_db"] for artifact in found.values()] == [90, 91, 92] * 2


def test_without_litert_the_rest_is_the_same(results: Path, shared: Path, tmp_path: Path) -> None:
    main(arguments(results, tmp_path / "alone"))
    assert entries(tmp_path / "alone") == {key: value for key, value in entries(shared).items() if key[1] == "tfjs"}
    assert not list((tmp_path / "alone").rglob("recipe.*"))


@pytest.mark.parametrize("name", ["tflite/float16.tflite", "tfjs/float32/group1-shard1of1.bin", "model.pb"])
def test_what_is_not_as_its_manifest_says_leaves_the_old_folder(
    results: Path, shared: Path, refusal: Refusal, name: str
) -> None:
    before = sorted(shared.rglob("*"))
    file = results / "32" / name
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    try:
        message = refusal(main, *arguments(results, shared, "float32", "float16"))
    finally:
        file.write_bytes(good)
    assert f"{file} differs from its recorded sha256" in message
    assert sorted(shared.rglob("*")) == before


def test_each_entry_names_what_it_was_made_of(results: Path, shared: Path) -> None:
    for (resolution, engine, dtype), artifact in entries(shared).items():
        start = f"tflite/{dtype}.tflite" if engine == "litert" else f"tfjs/{dtype}/"
        files = [path for path in (results / str(resolution)).rglob("*") if path.is_file()]
        made_of = {
            str(path.relative_to(results.parents[1])): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if str(path.relative_to(results / str(resolution))).startswith(start)
        }
        assert artifact["made_of"] == made_of
        assert made_of


def test_the_onnx_file_is_there_for_the_page_that_times_engines(shared: Path, results: Path) -> None:
    onnx = json.loads((shared / "entry.json").read_text())["onnx"]
    assert (shared / onnx["url"]).read_bytes() == (results / "onnx/dynamic.onnx").read_bytes()
    assert onnx["url"] == f"models/mine/{onnx['sha256']}.onnx"
    entry = json.loads((shared / "entry.json").read_text())
    made = [read_manifest(results / str(resolution) / "manifest.json") for resolution in RESOLUTIONS]
    check_vouched([entry], made)
    entry["onnx"]["sha256"] = "0" * 64
    with pytest.raises(Failure, match=r"is not the results/mine/onnx/dynamic\.onnx that manifests vouch for"):
        check_vouched([entry], made)
