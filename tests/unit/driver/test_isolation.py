import json
from pathlib import Path

import pytest

from workflow_scripts.driver.isolation import AS_ON_ANOTHER_PROCESSOR, isolated, link_package

pytestmark = pytest.mark.environment("driver")

# One of each kind that changes modules, kernels, threads, text, pictures, pages or the commit that is recorded.
HOSTILE = {
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "/hostile",
    "PYTHONSTARTUP": "/hostile.py",
    "PYTHONOPTIMIZE": "2",
    "PYTHONHASHSEED": "7",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_USE_LEGACY_KERAS": "0",
    "XLA_FLAGS": "--x",
    "KERAS_BACKEND": "jax",
    "KERAS_HOME": "/hostile",
    "OMP_NUM_THREADS": "3",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Nehalem",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "ATEN_CPU_CAPABILITY": "default",
    "NPY_DISABLE_CPU_FEATURES": "AVX2",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2",
    "LC_ALL": "tr_TR.UTF-8",
    "LC_NUMERIC": "de_DE.UTF-8",
    "LANG": "tr_TR.UTF-8",
    "LANGUAGE": "de",
    "NODE_OPTIONS": "--require /hostile.js",
    "NODE_PATH": "/hostile",
    "NODE_ENV": "development",
    "VITE_HOSTILE": "1",
    "MPLCONFIGDIR": "/hostile",
    "MPLBACKEND": "tkagg",
    "MATPLOTLIBRC": "/hostile",
    "GIT_DIR": "/hostile",
}
# Variables that a machine, a network or a cluster needs.
NEEDED = {
    "PATH": "/usr/bin",
    "HOME": "/home/me",
    "TMPDIR": "/scratch",
    "HTTPS_PROXY": "http://proxy:3128",
    "no_proxy": "localhost",
    "SSL_CERT_FILE": "/etc/ca.pem",
    "NODE_EXTRA_CA_CERTS": "/etc/ca.pem",
    "UV_INDEX_URL": "https://index",
    "NPM_CONFIG_REGISTRY": "https://registry",
    "AWS_PROFILE": "me",
    "SLURM_JOB_ID": "1",
    "CUDA_VISIBLE_DEVICES": "1",
    "LD_LIBRARY_PATH": "/opt/lib",
    "WORKFLOW_RUN": "id",
}


def test_what_changes_tools_is_left_out_and_what_is_needed_stays() -> None:
    found = isolated({**NEEDED, **HOSTILE}, Path("/packages"))
    pinned = isolated({}, Path("/packages"))
    assert found == {**NEEDED, **pinned}
    assert not {**HOSTILE}.items() & found.items()
    assert found["PYTHONPATH"] == "/packages"
    # This is what TensorFlow chose on the machine where the golden digests were recorded.
    assert found["TF_ENABLE_ONEDNN_OPTS"] == "1"


def test_it_changes_nothing_the_second_time() -> None:
    once = isolated({**NEEDED, **HOSTILE}, Path("/packages"))
    assert isolated(once, Path("/packages")) == once


def test_a_copy_may_pretend_to_run_on_another_processor() -> None:
    pretended = {"ONEDNN_MAX_CPU_ISA": "SSE41"}
    found = isolated({**HOSTILE, AS_ON_ANOTHER_PROCESSOR: json.dumps(pretended)}, Path("/packages"))
    assert found["ONEDNN_MAX_CPU_ISA"] == "SSE41"
    assert "ATEN_CPU_CAPABILITY" not in found
    # The Snakemake process of a job isolates again.
    assert isolated(found, Path("/packages")) == found


def test_the_folder_of_packages_holds_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        folder = link_package(tmp_path / "checkout")
        assert [path.name for path in folder.iterdir()] == ["workflow_scripts"]
        assert (folder / "workflow_scripts").readlink() == tmp_path / "checkout/workflow_scripts"
    # The checkout was moved.
    link_package(tmp_path / "moved")
    assert (folder / "workflow_scripts").readlink() == tmp_path / "moved/workflow_scripts"


def test_a_folder_that_cannot_be_written_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").write_text("a file where a folder is needed")
    with pytest.raises(SystemExit, match=f"Error: {tmp_path} cannot be written"):
        link_package(tmp_path)
