# Reads the whole project and its environments.
# Writes results/reproducible/: one resolution, built twice under different conditions, and a report of their
# comparison. Only on request.


rule rebuild_copy:
    """Build the first configured resolution and its site in another folder, under other conditions."""
    input:
        project=["Snakefile", "config.yaml", "config.schema.yaml", *BILLS.values(), *page_sources(ROOT)],
        rules=sorted(map(str, Path("rules").glob("*.smk"))),
        scripts=sorted(str(path) for path in Path("workflow_scripts").rglob("*.*") if path.is_file()),
        environments=expand(".venvs/{environment}/installed.txt", environment=[*ENVIRONMENTS, "node"]),
        packages="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/reproducible/{twin}"),
    log:
        "results/logs/rebuild_copy/{twin}.log",
    benchmark:
        "results/benchmarks/rebuild_copy/{twin}.tsv"
    # This starts a Snakemake with jobs of its own. Two copies at the same time would need twice the memory.
    threads: workflow.cores
    params:
        python=sys.executable,
        config=settings.rebuilt_config(),
    shell:
        r"{params.python:q} -m workflow_scripts.reproduce.rebuild_copy"
        r" --twin {wildcards.twin:q} --config {params.config:q}"
        r" --output {output.folder:q} &> {log:q}"


rule compare_copies:
    """Fail unless both copies hold the same files with the same bytes. Name the first difference and its place."""
    input:
        first="results/reproducible/first",
        second="results/reproducible/second",
    output:
        report="results/reproducible/report.json",
    log:
        "results/logs/compare_copies/all.log",
    benchmark:
        "results/benchmarks/compare_copies/all.tsv"
    resources:
        mem_mb=3000,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.reproduce.compare_copies"
        r" --first {input.first:q} --second {input.second:q}"
        r" --output {output.report:q} &> {log:q}"
