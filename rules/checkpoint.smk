# Reads a checkpoint on this machine, in a package or on Google Drive.
# Writes results/{model}/checkpoint/: original, weights.safetensors, architecture.json and source.json. They are first
# written to results/_incoming, so that a file that cannot be read does not replace a good one.


rule fetch_checkpoint:
    """Copy or download the checkpoint. The file appears only if its size and digest are the pinned ones."""
    input:
        # The content decides, and its digest is a parameter. The date does not: a copy may keep an older date.
        local=lambda wildcards: [ancient(local(path)) for path in settings.local_checkpoint(wildcards)],
    output:
        checkpoint=temp("results/_incoming/{model}/original"),
    log:
        "results/_logs/fetch_checkpoint/{model}.log",
    benchmark:
        "results/_benchmarks/fetch_checkpoint/{model}.tsv"
    resources:
        mem_mb=1500,
    params:
        source=settings.checkpoint_source,
        content=settings.checkpoint_content,
        known="results/{model}/checkpoint/original",
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.checkpoint.fetch_checkpoint"
        r" {params.source:q} --model {wildcards.model:q} --known {params.known:q}"
        r" --output {output.checkpoint:q} &> {log:q}"


rule read_checkpoint:
    """Read the weights without running any code in the file, and infer the network's widths."""
    input:
        checkpoint="results/_incoming/{model}/original",
    output:
        weights=temp("results/_incoming/{model}/weights.safetensors"),
        architecture=temp("results/_incoming/{model}/architecture.json"),
        source=temp("results/_incoming/{model}/source.json"),
    log:
        "results/_logs/read_checkpoint/{model}.log",
    benchmark:
        "results/_benchmarks/read_checkpoint/{model}.tsv"
    resources:
        mem_mb=2000,
    params:
        reading=settings.checkpoint_reading,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.checkpoint.read_checkpoint"
        r" --checkpoint {input.checkpoint:q} {params.reading:q} --weights {output.weights:q}"
        r" --architecture {output.architecture:q} --source {output.source:q} &> {log:q}"


rule accept_checkpoint:
    """Let what was read take the place of the checkpoint before it."""
    input:
        # After a refused file, these are fetched and read again with the same content. So only what they are made from
        # decides whether this rule runs.
        checkpoint=ancient("results/_incoming/{model}/original"),
        weights=ancient("results/_incoming/{model}/weights.safetensors"),
        architecture=ancient("results/_incoming/{model}/architecture.json"),
        source=ancient("results/_incoming/{model}/source.json"),
    output:
        checkpoint="results/{model}/checkpoint/original",
        weights="results/{model}/checkpoint/weights.safetensors",
        architecture="results/{model}/checkpoint/architecture.json",
        source="results/{model}/checkpoint/source.json",
    log:
        "results/_logs/accept_checkpoint/{model}.log",
    benchmark:
        "results/_benchmarks/accept_checkpoint/{model}.tsv"
    resources:
        mem_mb=500,
    params:
        source=settings.checkpoint_source,
        content=settings.checkpoint_content,
        reading=settings.checkpoint_reading,
        # This rule also depends on the code that makes them.
        made_by=[
            "-m workflow_scripts.checkpoint.fetch_checkpoint",
            "-m workflow_scripts.checkpoint.read_checkpoint",
        ],
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.checkpoint.accept_checkpoint"
        r" --incoming {input.checkpoint:q} {input.weights:q} {input.architecture:q} {input.source:q}"
        r" --accepted {output.checkpoint:q} {output.weights:q} {output.architecture:q} {output.source:q} &> {log:q}"
