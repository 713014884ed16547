"""One U²-Net checkpoint in, verified TensorFlow.js models for every resolution out."""

from snakemake.utils import min_version

min_version("9.14")


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/storage.smk"
include: "rules/environments.smk"
include: "rules/checkpoint.smk"
include: "rules/convert.smk"
include: "rules/compact.smk"
include: "rules/predict.smk"
include: "rules/check.smk"
include: "rules/manifest.smk"
include: "rules/website.smk"
include: "rules/publish.smk"
include: "rules/benchmark.smk"
include: "rules/reproduce.smk"


report: "rules/report/workflow.rst"


# Run where Snakemake runs, on a cluster too: what needs the network, prints its result or waits for its user.
localrules:
    create_environment,
    create_node_environment,
    fetch_checkpoint,
    install_page,
    summarize_manifests,
    verify_manifests,
    serve,
    publish,
    prune,
    set_cors,
    verify_release,


rule all:
    """Every configured model at every configured resolution, verified, with a table of the figures."""
    default_target: True
    input:
        manifests=expand(
            "results/{model}/{resolution}/manifest.json", model=settings.models, resolution=config["resolutions"]
        ),
        plots=expand("results/{model}/{resolution}/parity.png", model=settings.models, resolution=config["resolutions"]),
        summary="results/summary.md",


rule verify_reproducible:
    """Build the first configured resolution again under different conditions, and compare byte by byte."""
    input:
        "results/_reproducible/report.json",


rule site:
    """The static site: the page with the configured models beside those built before."""
    input:
        "results/site",


rule benchmark:
    """The models' engines timed side by side: results/{model}/benchmark.json, .md and .png. Opt-in, and hours long."""
    input:
        expand("results/{model}/benchmark.{kind}", model=settings.models, kind=["json", "md", "png"]),


include: "rules/code.smk"
