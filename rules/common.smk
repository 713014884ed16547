# What all stages share: the driver package, the validated configuration, the wildcards' values, the memory limit.

import json
import sys
from pathlib import Path

import psutil
import snakemake
from snakemake.path_modifier import PathModifier

# The driver package is beside the rules, wherever Snakemake was started.
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False)).resolve().parent
sys.path.insert(0, str(ROOT))

from workflow_scripts.driver.checkpoint_files import was_refused
from workflow_scripts.driver.configuration import as_list, complete, normalise, validate
from workflow_scripts.driver.isolation import isolate
from workflow_scripts.driver.keep_folders import keep_old_folders, mark_folders
from workflow_scripts.driver.names import refuse_taken, taken_by
from workflow_scripts.driver.one_run import end_orphans, settle_clock, take_folder
from workflow_scripts.driver.refusal import require_python
from workflow_scripts.driver.settings import Settings
from workflow_scripts.driver.sources import (
    BILLS,
    ENVIRONMENTS,
    ENVIRONMENTS_APART,
    OWN_FILES,
    benchmark_page_sources,
    code_of,
    library_sources,
    needed_by,
    page_sources,
)

require_python()
isolate(ROOT)
complete(config, ROOT / "config.yaml")
keep_old_folders()
normalise(config)
validate(config, ROOT / "config.schema.yaml")
settings = Settings.read(config)

# The workflow may run in another folder, or as a module of another workflow. The checkout's own files are then read
# where they are. results/ and .venvs/ are written where Snakemake runs.
OWN = "" if Path.cwd() == ROOT else f"{ROOT}/"
if OWN:
    workflow.modifier.path_modifier = PathModifier({name: OWN + name for name in OWN_FILES}, None, workflow)


wildcard_constraints:
    model="|".join(settings.checkpoints),
    resolution="[1-9][0-9]*",
    dtype="float32|float16|uint16|uint8|compact",
    tflite_dtype="float32|float16|int8",
    graph="frozen|optimized",
    environment="|".join([*ENVIRONMENTS, *ENVIRONMENTS_APART]),
    backend="(litert-)?(wasm|webgpu)|webgl",
    bill="|".join(BILLS),
    twin="first|second|third",


# Jobs that run at the same time must fit into the machine's memory. Each rule's mem_mb is the measured peak of the
# worst case, the full-size network at 1024, and a quarter more. --resources may set another limit. On a cluster, each
# node has its own limit.
if workflow.is_main_process and workflow.local_exec and "mem_mb" not in workflow.global_resources:
    workflow.register_resource("mem_mb", int(0.9 * psutil.virtual_memory().total / 2**20))

if workflow.is_main_process:
    settle_clock(source["path"] for source in settings.checkpoints.values() if "path" in source)


onstart:
    # A run that writes nothing, such as `serve`, may run beside a run that builds.
    if any(job.output for job in workflow.dag.needrun_jobs()):
        end_orphans(take_folder())
    else:
        end_orphans()


onsuccess:
    settings.remember_sources()


onerror:
    # Otherwise, the next run would fetch the accepted checkpoint again, and build everything again.
    for job in workflow.dag.jobs:
        for file in filter(was_refused, job.output):
            Path(file).unlink(missing_ok=True)
            workflow.persistence.cleanup_metadata(file)
