"""Neither the user's variables nor modules in the working folder change what is built."""

import hashlib
from pathlib import Path

from tests.support.project import Workflow

MODEL = "results/u2netp/64/tfjs/float32/model.json"
PICTURE = "results/u2netp/64/parity.png"


def digests(folder: Path) -> list[str]:
    """Return the digests of a model and a picture."""
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, PICTURE)]


def test_hostile_surroundings_change_no_byte(built: Workflow, broken: Workflow, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    # Fake modules, named like modules that Snakemake's own environment lacks. Importing one ends the process at once.
    for folder in (hostile, broken.folder):
        for module in ("matplotlib", "safetensors", "tensorflow", "tensorflowjs"):
            (folder / f"{module}.py").write_text("raise SystemExit('a module of the user was imported')\n")
    (hostile / "keras.json").write_text('{"floatx": "float64", "image_data_format": "channels_first"}')
    (hostile / "matplotlibrc").write_text("figure.facecolor: red\n")
    variables = {
        "PYTHONPATH": str(hostile),
        # TensorFlow chooses this by itself on other processors, and then model.json differed.
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "KERAS_HOME": str(hostile),
        "MATPLOTLIBRC": str(hostile),
        "LC_ALL": "tr_TR.UTF-8",
        "PYTHONOPTIMIZE": "2",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    }
    targets = ("results/u2netp/64/tfjs/float32", PICTURE)
    command = [*targets, "--forcerun", "convert_tfjs", "plot_parity", "--config", "resolutions=[64]"]
    done = broken.run(*command, "tflite_dtypes=[float32,float16]", env=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(broken.folder) == digests(built.folder)
