# In: a checkpoint on this machine, in a package or on Google Drive. Out: safetensors, architecture.json, dynamic ONNX.


rule fetch_checkpoint:
    """Bring the checkpoint in; it appears only once its pinned size and digest hold."""
    input:
        local=checkpoint_file,
        script="workflow_scripts/fetch_checkpoint.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/torch/installed.txt",
    output:
        checkpoint="results/{model}/checkpoint/original",
    log:
        "results/logs/fetch_checkpoint/{model}.log",
    benchmark:
        "results/benchmarks/fetch_checkpoint/{model}.tsv"
    resources:
        mem_mb=500,
    params:
        source=checkpoint_source,
    shell:
        r".venvs/torch/bin/python {input.script:q} {params.source:q} --model {wildcards.model:q}"
        r" --output {output.checkpoint:q} &> {log:q}"


rule read_checkpoint:
    """Read the weights without running anything the file holds, and infer the network's widths."""
    input:
        checkpoint="results/{model}/checkpoint/original",
        script="workflow_scripts/read_checkpoint.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/read_folded_onnx.py",
            "workflow_scripts/u2net.py",
        ],
        environment=".venvs/torch/installed.txt",
    output:
        weights="results/{model}/checkpoint/weights.safetensors",
        architecture="results/{model}/checkpoint/architecture.json",
    log:
        "results/logs/read_checkpoint/{model}.log",
    benchmark:
        "results/benchmarks/read_checkpoint/{model}.tsv"
    resources:
        mem_mb=2000,
    params:
        format=checkpoint_format,
    shell:
        r".venvs/torch/bin/python {input.script:q} --checkpoint {input.checkpoint:q} --format {params.format:q}"
        r" --weights {output.weights:q} --architecture {output.architecture:q} &> {log:q}"


rule export_onnx:
    """One ONNX file a model, its height and width left open: each resolution is fixed from it in seconds."""
    input:
        weights="results/{model}/checkpoint/weights.safetensors",
        script="workflow_scripts/export_onnx.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/load_network.py",
            "workflow_scripts/u2net.py",
        ],
        environment=".venvs/torch/installed.txt",
    output:
        model="results/{model}/onnx/dynamic.onnx",
    log:
        "results/logs/export_onnx/{model}.log",
    benchmark:
        "results/benchmarks/export_onnx/{model}.tsv"
    resources:
        mem_mb=2000,
    shell:
        r".venvs/torch/bin/python {input.script:q} --weights {input.weights:q} --output {output.model:q} &> {log:q}"
