# In: the project and its environments. Out: one resolution built twice under different conditions, compared. Opt-in.


wildcard_constraints:
    twin="first|second",


rule rebuild_copy:
    """Build the first configured resolution and its site in a folder of its own, under conditions of its own."""
    input:
        project=["Snakefile", "config.yaml", "config.schema.yaml", *BILLS.values(), *page_sources()],
        rules=sorted(map(str, Path("rules").glob("*.smk"))),
        scripts=sorted(map(str, Path("workflow_scripts").glob("*.*"))),
        script="workflow_scripts/rebuild_copy.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environments=expand(".venvs/{environment}/installed.txt", environment=[*ENVIRONMENTS, "node"]),
        packages="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/reproducible/{twin}"),
    log:
        "results/logs/rebuild_copy/{twin}.log",
    benchmark:
        "results/benchmarks/rebuild_copy/{twin}.tsv"
    # Snakemake within Snakemake starts jobs of its own: two copies side by side would need twice what they ask for.
    threads: workflow.cores
    params:
        python=sys.executable,
        config=rebuilt_config(),
    shell:
        r"{params.python:q} {input.script:q} --twin {wildcards.twin:q} --config {params.config:q}"
        r" --output {output.folder:q} &> {log:q}"


rule compare_copies:
    """Fail unless both copies hold the same files, byte for byte; name the first that differs and where."""
    input:
        first="results/reproducible/first",
        second="results/reproducible/second",
        script="workflow_scripts/compare_copies.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/differences.py",
            "workflow_scripts/files.py",
        ],
        environment=".venvs/tensorflow/installed.txt",
    output:
        report="results/reproducible/report.json",
    log:
        "results/logs/compare_copies/all.log",
    benchmark:
        "results/benchmarks/compare_copies/all.tsv"
    resources:
        mem_mb=3000,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --first {input.first:q} --second {input.second:q}"
        r" --output {output.report:q} &> {log:q}"
