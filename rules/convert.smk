# In: the dynamic ONNX file. Out, for each resolution: static ONNX, IR, frozen graph, optimized graph, TensorFlow.js, .tflite.


rule simplify_onnx:
    """Fix the input's size and fold what follows from it; the later converters know static shapes only."""
    input:
        model="results/{model}/onnx/dynamic.onnx",
        script="workflow_scripts/simplify_onnx.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/onnx/installed.txt",
    output:
        model="results/{model}/{resolution}/onnx/model.onnx",
    log:
        "results/logs/simplify_onnx/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/simplify_onnx/{model}-{resolution}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/onnx/bin/python {input.script:q} --model {input.model:q} --resolution {wildcards.resolution:q}"
        r" --output {output.model:q} &> {log:q}"


rule convert_ir:
    """OpenVINO IR in FP32: the form that openvino2tensorflow reads."""
    input:
        model="results/{model}/{resolution}/onnx/model.onnx",
        script="workflow_scripts/convert_ir.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py", "workflow_scripts/tools.py"],
        environment=".venvs/tensorflow/installed.txt",
    output:
        xml="results/{model}/{resolution}/ir/model.xml",
        bin="results/{model}/{resolution}/ir/model.bin",
    log:
        "results/logs/convert_ir/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/convert_ir/{model}-{resolution}.tsv"
    resources:
        mem_mb=2000,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --model {input.model:q} --xml {output.xml:q}"
        r" --bin {output.bin:q} &> {log:q}"


rule freeze_graph:
    """Rebuild the IR as one frozen NHWC TensorFlow graph; a SavedModel would meet the 2 GB protobuf limit."""
    input:
        xml="results/{model}/{resolution}/ir/model.xml",
        bin="results/{model}/{resolution}/ir/model.bin",
        script="workflow_scripts/freeze_graph.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py", "workflow_scripts/tools.py"],
        environment=".venvs/tensorflow/installed.txt",
    output:
        graph="results/{model}/{resolution}/frozen/model.pb",
    log:
        "results/logs/freeze_graph/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/freeze_graph/{model}-{resolution}.tsv"
    resources:
        mem_mb=3500,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --ir {input.xml:q} --output {output.graph:q} &> {log:q}"


rule optimize_graph:
    """Undo the detours of the graph, so that every convolution fuses with its bias; name its ends x and d0."""
    input:
        graph="results/{model}/{resolution}/frozen/model.pb",
        script="workflow_scripts/optimize_graph.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/graphs.py",
            "workflow_scripts/rewrite_graph.py",
        ],
        environment=".venvs/tensorflow/installed.txt",
    output:
        graph="results/{model}/{resolution}/optimized/model.pb",
    log:
        "results/logs/optimize_graph/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/optimize_graph/{model}-{resolution}.tsv"
    resources:
        mem_mb=2000,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --graph {input.graph:q} --output {output.graph:q} &> {log:q}"


rule convert_tfjs:
    """The TensorFlow.js graph model in float32, its model.json in canonical order."""
    input:
        graph="results/{model}/{resolution}/optimized/model.pb",
        script="workflow_scripts/convert_tfjs.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/tfjs_models.py",
            "workflow_scripts/tools.py",
        ],
        environment=".venvs/tensorflow/installed.txt",
    output:
        folder=directory("results/{model}/{resolution}/tfjs/float32"),
    log:
        "results/logs/convert_tfjs/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/convert_tfjs/{model}-{resolution}.tsv"
    resources:
        mem_mb=3500,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --graph {input.graph:q} --output {output.folder:q} &> {log:q}"


rule quantize_tfjs:
    """The same model with narrower weights, as the converter itself writes it but without starting TensorFlow again."""
    input:
        model="results/{model}/{resolution}/tfjs/float32",
        script="workflow_scripts/quantize_tfjs.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py", "workflow_scripts/tfjs_models.py"],
        environment=".venvs/torch/installed.txt",
    output:
        folder=directory("results/{model}/{resolution}/tfjs/{dtype}"),
    log:
        "results/logs/quantize_tfjs/{model}-{resolution}-{dtype}.log",
    benchmark:
        "results/benchmarks/quantize_tfjs/{model}-{resolution}-{dtype}.tsv"
    wildcard_constraints:
        dtype="float16|uint16|uint8",
    resources:
        mem_mb=1000,
    shell:
        r".venvs/torch/bin/python {input.script:q} --model {input.model:q} --dtype {wildcards.dtype:q}"
        r" --output {output.folder:q} &> {log:q}"


rule convert_tflite:
    """The same graph as one .tflite file, which LiteRT runs."""
    input:
        graph="results/{model}/{resolution}/optimized/model.pb",
        script="workflow_scripts/convert_tflite.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py", "workflow_scripts/graphs.py"],
        environment=".venvs/tensorflow/installed.txt",
    output:
        model="results/{model}/{resolution}/tflite/{tflite_dtype}.tflite",
    log:
        "results/logs/convert_tflite/{model}-{resolution}-{tflite_dtype}.log",
    benchmark:
        "results/benchmarks/convert_tflite/{model}-{resolution}-{tflite_dtype}.tsv"
    resources:
        mem_mb=3000,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --graph {input.graph:q} --dtype {wildcards.tflite_dtype:q}"
        r" --output {output.model:q} &> {log:q}"


rule plan_compact:
    """Round a model's weights once to as few bytes as hold the PSNR floor; they are the same at every resolution."""
    input:
        model=expand("results/{{model}}/{resolution}/tfjs/float32", resolution=min(config["resolutions"])),
        script="workflow_scripts/plan_compact.py",
        modules=[
            "workflow_scripts/calibration_photos.py",
            "workflow_scripts/commands.py",
            "workflow_scripts/equalize_channels.py",
            "workflow_scripts/files.py",
            "workflow_scripts/graph_models.py",
            "workflow_scripts/images.py",
            "workflow_scripts/metrics.py",
            "workflow_scripts/round_kernels.py",
            "workflow_scripts/tfjs_models.py",
        ],
        environment=".venvs/torch/installed.txt",
    output:
        weights="results/{model}/compact/weights.safetensors",
        report="results/{model}/compact/report.json",
    log:
        "results/logs/plan_compact/{model}.log",
    benchmark:
        "results/benchmarks/plan_compact/{model}.tsv"
    threads: 2
    resources:
        mem_mb=6000,
    params:
        floor=compact_floor,
        settings=json.dumps(config["compact"], sort_keys=True),
    shell:
        r".venvs/torch/bin/python {input.script:q} --model {input.model:q} --floor {params.floor:q}"
        r" --settings {params.settings:q} --threads {threads:q} --weights {output.weights:q}"
        r" --report {output.report:q} &> {log:q}"


rule compact_tfjs:
    """One resolution's model with the rounded weights of plan_compact."""
    input:
        model="results/{model}/{resolution}/tfjs/float32",
        plan="results/{model}/compact/report.json",
        weights="results/{model}/compact/weights.safetensors",
        script="workflow_scripts/compact_tfjs.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py", "workflow_scripts/tfjs_models.py"],
        environment=".venvs/torch/installed.txt",
    output:
        folder=directory("results/{model}/{resolution}/tfjs/compact"),
    log:
        "results/logs/compact_tfjs/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/compact_tfjs/{model}-{resolution}.tsv"
    resources:
        mem_mb=1000,
    shell:
        r".venvs/torch/bin/python {input.script:q} --model {input.model:q} --plan {input.plan:q}"
        r" --weights {input.weights:q} --output {output.folder:q} &> {log:q}"
