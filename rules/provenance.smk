# In: lock files and manifests. Out: what the site's provenance/ folder holds beside the statement itself.


wildcard_constraints:
    bill="|".join(BILLS),


rule list_components:
    """What one lock file installs, as a CycloneDX software bill of materials."""
    input:
        lock=lambda wildcards: BILLS[wildcards.bill],
        script="workflow_scripts/list_components.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py", "workflow_scripts/tools.py"],
        environment=".venvs/provenance/installed.txt",
    output:
        bill="results/bills/{bill}.cdx.json",
    log:
        "results/logs/list_components/{bill}.log",
    benchmark:
        "results/benchmarks/list_components/{bill}.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/provenance/bin/python {input.script:q} --lock {input.lock:q} --output {output.bill:q} &> {log:q}"


rule describe_model:
    """A model's card: task, architecture, licence and the figures of its checks, as a CycloneDX component."""
    input:
        manifests=expand("results/{{model}}/{resolution}/manifest.json", resolution=config["resolutions"]),
        script="workflow_scripts/describe_model.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/provenance/installed.txt",
    output:
        bill="results/{model}/{model}.cdx.json",
    log:
        "results/logs/describe_model/{model}.log",
    benchmark:
        "results/benchmarks/describe_model/{model}.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/provenance/bin/python {input.script:q} --manifests {input.manifests:q} --output {output.bill:q} &> {log:q}"
