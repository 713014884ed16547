"""The environment variables that rules run with: the user's, without those that change what a tool computes or writes.

The families below are removed, and the variables that decide bytes are set. This is a list of what to remove, not of
what to keep. Snakemake also hands its environment to schedulers, storage and installers. What a cluster or a company's
network needs there (queues, proxies, certificates, credentials) is not known here; what the locked tools read is known.

Every Snakemake process reads the rules first, so this also holds for a job on a cluster and for verify_reproducible.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from workflow_scripts.driver.refusal import refuse
from workflow_scripts.driver.sources import PACKAGE

# Beginnings of variables' names, grouped by what reads them.
FAMILIES = (
    # Python: which modules it imports, how it starts, how it writes text.
    "PYTHON",
    # TensorFlow, its compilers, and Keras.
    *("TF_", "TF2_", "TFLITE_", "XLA_", "AUTOGRAPH_", "TENSORFLOW_", "KERAS_"),
    # Threads and linear algebra.
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "BLAS_", "VECLIB_", "NUMEXPR_", "NUMBA_", "TBB_"),
    # Which kernels are chosen.
    *("ONEDNN_", "DNNL_", "ATEN_", "NPY_", "NUMPY_", "XNNPACK_", "OV_", "OPENVINO_", "ORT_", "ACL_", "GLIBC_TUNABLES"),
    *("TORCH_", "PYTORCH_", "TORCHINDUCTOR_", "ONNX_", "PROTOCOL_BUFFERS_"),
    # Pictures, and the locale.
    *("MPL", "MATPLOTLIB", "SKIMAGE_", "LC_", "LANG"),
    # Node.js and the page's bundler.
    *("NODE_", "VITE_", "BROWSERSLIST"),
    # Which git repository is used. A git hook sets these.
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"),
)
# The certificate of a company's proxy decides whether npm gets a package. Which package it gets is locked.
KEPT = frozenset({"NODE_EXTRA_CA_CERTS"})

PINNED = {
    # Do not import modules from the working folder or from a script's folder: they do not belong to the environment.
    "PYTHONSAFEPATH": "1",
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    # Otherwise TensorFlow chooses by processor. Its converter then fuses other operations, and model.json differs.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # Otherwise ~/.keras/keras.json chooses a graph's layout, and ~/.config/matplotlib changes a picture's look.
    "KERAS_HOME": os.devnull,
    "MATPLOTLIBRC": os.devnull,
    # The kernel clears every page that it hands out. Feature maps are allocated in huge pages, and small ones are kept
    # for the next layer: PyTorch then spends half as much time in the kernel (docs/costs.md).
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432"
    ":glibc.malloc.trim_threshold=134217728",
}
# JSON: variables that verify_reproducible still sets, so that the tools choose as on another processor.
AS_ON_ANOTHER_PROCESSOR = "WORKFLOW_AS_ON_ANOTHER_PROCESSOR"


def isolated(environment: Mapping[str, str], packages: Path) -> dict[str, str]:
    """Return the variables that rules run with. Their Python finds this package in the folder `packages`."""
    kept = {name: value for name, value in environment.items() if name in KEPT or not name.startswith(FAMILIES)}
    pretended = json.loads(environment.get(AS_ON_ANOTHER_PROCESSOR, "{}"))
    return {**kept, **PINNED, "PYTHONPATH": str(packages), **pretended}


def link_package(root: Path) -> Path:
    """Return a folder that holds only a link to this package, so that no other module of the checkout can be imported.

    Refuse if the working folder may not be written.
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
    """Give this process the variables that rules run with. Every process that it starts inherits them."""
    variables = isolated(os.environ, link_package(root))
    os.environ.clear()
    os.environ.update(variables)
