"""One U²-Net checkpoint goes in, verified browser models for every resolution come out."""

from snakemake.utils import min_version

min_version("9.14")


# Beside this file, wherever Snakemake was started.
configfile: workflow.current_basedir.join("config.yaml").get_path_or_uri(secret_free=False)


include: "rules/common.smk"
include: "rules/storage.smk"
include: "rules/environments.smk"
include: "rules/checkpoint.smk"
include: "rules/distil.smk"
include: "rules/convert.smk"
include: "rules/compact.smk"
include: "rules/int8.smk"
include: "rules/predict.smk"
include: "rules/check.smk"
include: "rules/manifest.smk"
include: "rules/draw.smk"
include: "rules/huggingface.smk"
include: "rules/website.smk"
include: "rules/publish.smk"
include: "rules/benchmark.smk"
include: "rules/reproduce.smk"


report: "rules/report/workflow.rst"


# These rules run where Snakemake runs, also on a cluster: they need the network, print a result, or wait for the user.
localrules:
    create_environment,
    create_node_environment,
    create_transformersjs_environment,
    fetch_checkpoint,
    install_page,
    summarize_manifests,
    verify_manifests,
    draw,
    serve,
    publish,
    prune,
    set_cors,
    verify_release,


rule all:
    """Convert and verify every configured model at every configured resolution, and make a table of the figures."""

    # Of this workflow by itself; as a module it leaves the choice to the workflow that uses it.
    default_target: workflow.modifier.is_main_snakefile()
    input:
        manifests=expand(
            "results/{model}/{resolution}/manifest.json", model=settings.models, resolution=config["resolutions"]
        ),
        plots=expand("results/{model}/{resolution}/parity.png", model=settings.models, resolution=config["resolutions"]),
        summary="results/summary.md",


rule distil:
    """Train a small network to draw what `teacher` draws, on `photos`. Then build it like any other model."""
    input:
        expand("results/{model}/distil/{file}", model=settings.models, file=["report.json", "report.md", "sheet.png"]),


rule verify_reproducible:
    """Build the first configured resolution again under different conditions, and compare byte by byte."""
    input:
        "results/_reproducible/report.json",


rule site:
    """Build the static site: the page with the configured models and those that were built before."""
    input:
        "results/site",


rule huggingface:
    """Write each model's folder for the Hugging Face Hub: results/{model}/huggingface/. Only on request."""
    input:
        expand("results/{model}/huggingface", model=settings.models),


rule benchmark:
    """Time the engines side by side: results/{model}/benchmark.json, .md and .png. Only on request; it may take hours."""
    input:
        expand("results/{model}/benchmark.{kind}", model=settings.models, kind=["json", "md", "png"]),


include: "rules/code.smk"
