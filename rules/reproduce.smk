# Reads the whole project and its environments.
# Writes results/_reproducible/: one resolution built under different conditions, and compared. Only on request.


rule rebuild_copy:
    """Build the first configured resolution in a folder of its own, under conditions of its own."""
    input:
        project=[
            "Snakefile",
            "config.yaml",
            "config.schema.yaml",
            *BILLS.values(),
            *page_sources(ROOT),
            *library_sources(ROOT),
        ],
        rules=sorted(map(str, Path("rules").glob("*.smk"))),
        scripts=sorted(
            str(path) for path in Path("workflow_scripts").rglob("*.*") if path.suffix in (".py", ".cts", ".json")
        ),
        environments=expand(".venvs/{environment}/installed.txt", environment=[*ENVIRONMENTS, "node"]),
        packages="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/_reproducible/{twin}"),
    log:
        "results/_logs/rebuild_copy/{twin}.log",
    benchmark:
        "results/_benchmarks/rebuild_copy/{twin}.tsv"
    # This starts a Snakemake with jobs of its own. Two copies at the same time would need twice the memory.
    threads: workflow.cores
    params:
        python=sys.executable,
        config=settings.rebuilt_config(),
        targets=settings.rebuilt_targets,
    shell:
        r"{params.python:q} -m workflow_scripts.reproduce.rebuild_copy"
        r" --twin {wildcards.twin:q} --targets {params.targets:q} --config {params.config:q}"
        r" --output {output.folder:q} &> {log:q}"


rule compare_copies:
    """Fail unless all copies hold the same files with the same bytes. Name the first difference and its place."""
    input:
        first="results/_reproducible/first",
        second="results/_reproducible/second",
        third="results/_reproducible/third",
    output:
        report="results/_reproducible/report.json",
    log:
        "results/_logs/compare_copies/all.log",
    benchmark:
        "results/_benchmarks/compare_copies/all.tsv"
    resources:
        mem_mb=3000,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.reproduce.compare_copies"
        r" --first {input.first:q} --second {input.second:q} --third {input.third:q}"
        r" --output {output.report:q} &> {log:q}"
