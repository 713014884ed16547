import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from safetensors.numpy import load_file, save_file

from workflow_scripts.convert import convert_tfjs, quantize_tfjs
from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.formats.tfjs_model import loaded_values, model_digest, read_weights
from workflow_scripts.predict.predict_quantized import main

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]
RANDOM = np.random.default_rng(3)
KERNEL = RANDOM.normal(0, 0.5, (3, 3, 3, 4)).astype(np.float32)
BIAS = RANDOM.normal(0, 0.5, 4).astype(np.float32)
SIDE = RANDOM.normal(0, 0.5, (1, 1, 4, 1)).astype(np.float32)
SIZE = (1, 8, 6, 3)


def network(kernel: object, bias: object, side: object) -> tf.Graph:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, SIZE, name="x")
        hidden = tf.nn.conv2d(x, tf.constant(kernel, name="kernel"), 1, "SAME")
        hidden = tf.nn.relu(tf.nn.bias_add(hidden, tf.constant(bias, name="bias")))
        tf.sigmoid(tf.nn.conv2d(hidden, tf.constant(side, name="side"), 1, "SAME"), name="d0")
    return graph


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "model.pb").write_bytes(network(KERNEL, BIAS, SIDE).as_graph_def().SerializeToString())
    convert_tfjs.main(["--graph", str(folder / "model.pb"), "--output", str(folder / "float32")])
    for dtype in ("float16", "uint16", "uint8"):
        options = ["--model", str(folder / "float32"), "--dtype", dtype, "--output", str(folder / dtype)]
        quantize_tfjs.main(options)
    probes = {name: RANDOM.normal(size=(1, 3, 8, 6)).astype(np.float32) for name in ("noise", "astronaut")}
    save_file(probes, folder / "probes.safetensors")
    return folder


def arguments(models: Path, model: Path, output: Path) -> list[str]:
    probes = str(models / "probes.safetensors")
    return ["--model", str(model), "--probes", probes, "--threads", "1", "--output", str(output)]


@pytest.mark.parametrize("dtype", ["float16", "uint16", "uint8"])
def test_predictions_are_those_of_the_graph_with_the_loaded_weights(models: Path, tmp_path: Path, dtype: str) -> None:
    main(arguments(models, models / dtype, tmp_path / "found.safetensors"))
    found, metadata = read_predictions(tmp_path / "found.safetensors")
    weights = [loaded_values(spec, data) for spec, data in read_weights(models / dtype)]
    by_shape = {values.shape: values for values in weights}
    graph = network(by_shape[KERNEL.shape], by_shape[BIAS.shape], by_shape[SIDE.shape])
    with tf.Session(graph=graph) as session:
        for name, x in load_file(models / "probes.safetensors").items():
            expected = session.run("d0:0", {"x:0": x.transpose(0, 2, 3, 1)}).transpose(0, 3, 1, 2)
            assert np.abs(found[name] - expected).max() < 1e-6
            # They are not the float32 model's.
            with tf.Session(graph=network(KERNEL, BIAS, SIDE)) as exact:
                own = exact.run("d0:0", {"x:0": x.transpose(0, 2, 3, 1)}).transpose(0, 3, 1, 2)
            assert np.abs(found[name] - own).max() > 3e-6
    assert metadata["backend"] == f"tensorflow-cpu {version('tensorflow-cpu')}"
    assert metadata["model_sha256"] == model_digest(models / dtype)
    named = {Path(path).name for path in json.loads(metadata["read"])}
    assert named == {"model.json", "group1-shard1of1.bin", "probes.safetensors"}


def test_a_weight_that_the_graph_does_not_name_is_refused(models: Path, tmp_path: Path, refusal: Refusal) -> None:
    model = json.loads((models / "uint16/model.json").read_text())
    model["weightsManifest"][0]["weights"][0]["name"] = "stray"
    (tmp_path / "uint16").mkdir()
    for path in (models / "uint16").iterdir():
        (tmp_path / "uint16" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "uint16/model.json").write_text(json.dumps(model))
    message = refusal(main, *arguments(models, tmp_path / "uint16", tmp_path / "found.safetensors"))
    assert "is a constant without values or a weight that nothing reads" in message
    assert not (tmp_path / "found.safetensors").exists()


def test_only_parts_of_tensorflow_are_imported() -> None:
    program = (
        "import sys, workflow_scripts.predict.predict_quantized, workflow_scripts.check.check_size\n"
        "assert 'tensorflow.python.client.session' in sys.modules\n"
        "assert not any(name.startswith('tensorflow._api') for name in sys.modules)\n"
        "from workflow_scripts.shared.tensorflow_parts import import_whole\n"
        "import_whole()\n"
        "import tensorflow.compat.v1 as tf\n"
        "print(tf.__version__, tf.Session)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(version("tensorflow-cpu"))
