"""The environment variables that rules run with: the user's, but for what would change what a tool computes or writes.

The families below are left out, and what decides bytes is set. This is no list of what is let through: Snakemake hands
its own environment to schedulers, storage and installers, too, and what a cluster or a company's network needs there
(queues, proxies, certificates, credentials) is not known here. What the locked tools read is.

Every Snakemake reads the rules first, also that of a job on a cluster and that of a copy of verify_reproducible.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from workflow_scripts.driver.refusal import refuse
from workflow_scripts.driver.sources import PACKAGE

# Beginnings of names, by what reads them.
FAMILIES = (
    # Python: other modules, another start, other text.
    "PYTHON",
    # TensorFlow, its compilers, and Keras.
    *("TF_", "TF2_", "TFLITE_", "XLA_", "AUTOGRAPH_", "TENSORFLOW_", "KERAS_"),
    # Threads and linear algebra.
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "BLAS_", "VECLIB_", "NUMEXPR_", "NUMBA_", "TBB_"),
    # The choice of kernels.
    *("ONEDNN_", "DNNL_", "ATEN_", "NPY_", "NUMPY_", "XNNPACK_", "OV_", "OPENVINO_", "ORT_", "ACL_", "GLIBC_TUNABLES"),
    *("TORCH_", "PYTORCH_", "TORCHINDUCTOR_", "ONNX_", "PROTOCOL_BUFFERS_"),
    # Pictures, and the locale.
    *("MPL", "MATPLOTLIB", "SKIMAGE_", "LC_", "LANG"),
    # Node.js and the page's bundler.
    *("NODE_", "VITE_", "BROWSERSLIST"),
    # Another repository, as within a hook of git.
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"),
)
# A certificate of a company's proxy decides whether npm gets a package, not which: that is locked.
KEPT = frozenset({"NODE_EXTRA_CA_CERTS"})

PINNED = {
    # A module in the folder where somebody stands, or beside a script, is none of the environment's.
    "PYTHONSAFEPATH": "1",
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    # TensorFlow chooses by processor otherwise, and its converter then fuses other operations: model.json differs.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # Else ~/.keras/keras.json chooses the layout of a graph, and ~/.config/matplotlib the look of a picture.
    "KERAS_HOME": os.devnull,
    "MATPLOTLIBRC": os.devnull,
}
# JSON: variables that verify_reproducible sets after all, to have the tools choose as on another processor.
AS_ON_ANOTHER_PROCESSOR = "WORKFLOW_AS_ON_ANOTHER_PROCESSOR"


def isolated(environment: Mapping[str, str], packages: Path) -> dict[str, str]:
    """Return the variables that rules run with; their Python finds the package in the folder `packages`."""
    kept = {name: value for name, value in environment.items() if name in KEPT or not name.startswith(FAMILIES)}
    pretended = json.loads(environment.get(AS_ON_ANOTHER_PROCESSOR, "{}"))
    return {**kept, **PINNED, "PYTHONPATH": str(packages), **pretended}


def link_package(root: Path) -> Path:
    """Return a folder with nothing but a link to this package, in which other modules of the checkout are out of reach.

    Refuses if the working folder may not be written.
    """
    link = Path(".snakemake/modules", PACKAGE).absolute()
    target = root / PACKAGE
    if not (link.is_symlink() and link.readlink() == target):
        staging = link.with_name(f"{PACKAGE}.{os.getpid()}")
        try:
            link.parent.mkdir(parents=True, exist_ok=True)
            staging.symlink_to(target)
            staging.replace(link)
        except OSError as error:
            refuse(
                f"{Path.cwd()} cannot be written ({error.strerror}): take a folder of your own, or change its owner "
                "or permissions"
            )
    return link.parent


def isolate(root: Path) -> None:
    """Give this process, and so all that it starts, the variables that rules run with."""
    variables = isolated(os.environ, link_package(root))
    os.environ.clear()
    os.environ.update(variables)
