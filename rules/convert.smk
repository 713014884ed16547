# Reads results/{model}/checkpoint/weights.safetensors.
# Writes results/{model}/onnx/dynamic.onnx and in results/{model}/{resolution}/: onnx/, ir/, frozen/, optimized/, tfjs/, tflite/.


rule export_onnx:
    """One ONNX file a model, its height and width left open: each resolution is fixed from it in seconds."""
    input:
        weights="results/{model}/checkpoint/weights.safetensors",
    output:
        model="results/{model}/onnx/dynamic.onnx",
    log:
        "results/_logs/export_onnx/{model}.log",
    benchmark:
        "results/_benchmarks/export_onnx/{model}.tsv"
    resources:
        mem_mb=2000,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.convert.export_onnx"
        r" --weights {input.weights:q} --output {output.model:q} &> {log:q}"


rule simplify_onnx:
    """Fix the input's size and fold what follows from it; the later converters know static shapes only."""
    input:
        model="results/{model}/onnx/dynamic.onnx",
    output:
        model="results/{model}/{resolution}/onnx/model.onnx",
    log:
        "results/_logs/simplify_onnx/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/simplify_onnx/{model}-{resolution}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/onnx/bin/python -m workflow_scripts.convert.simplify_onnx"
        r" --model {input.model:q} --resolution {wildcards.resolution:q}"
        r" --output {output.model:q} &> {log:q}"


rule convert_ir:
    """OpenVINO IR in FP32: the form that openvino2tensorflow reads."""
    input:
        model="results/{model}/{resolution}/onnx/model.onnx",
    output:
        xml="results/{model}/{resolution}/ir/model.xml",
        bin="results/{model}/{resolution}/ir/model.bin",
    log:
        "results/_logs/convert_ir/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/convert_ir/{model}-{resolution}.tsv"
    resources:
        mem_mb=2000,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.convert.convert_ir"
        r" --model {input.model:q} --xml {output.xml:q}"
        r" --bin {output.bin:q} &> {log:q}"


rule freeze_graph:
    """Rebuild the IR as one frozen NHWC TensorFlow graph; a SavedModel would meet the 2 GB protobuf limit."""
    input:
        xml="results/{model}/{resolution}/ir/model.xml",
        bin="results/{model}/{resolution}/ir/model.bin",
    output:
        graph="results/{model}/{resolution}/frozen/model.pb",
    log:
        "results/_logs/freeze_graph/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/freeze_graph/{model}-{resolution}.tsv"
    resources:
        mem_mb=3500,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.convert.freeze_graph"
        r" --ir {input.xml:q} --output {output.graph:q} &> {log:q}"


rule optimize_graph:
    """Undo the detours of the graph, so that every convolution fuses with its bias; name its ends x and d0."""
    input:
        graph="results/{model}/{resolution}/frozen/model.pb",
    output:
        graph="results/{model}/{resolution}/optimized/model.pb",
    log:
        "results/_logs/optimize_graph/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/optimize_graph/{model}-{resolution}.tsv"
    resources:
        mem_mb=2000,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.convert.optimize_graph"
        r" --graph {input.graph:q} --output {output.graph:q} &> {log:q}"


rule convert_tfjs:
    """The TensorFlow.js graph model in float32, its model.json in canonical order."""
    input:
        graph="results/{model}/{resolution}/optimized/model.pb",
    output:
        folder=directory("results/{model}/{resolution}/tfjs/float32"),
    log:
        "results/_logs/convert_tfjs/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/convert_tfjs/{model}-{resolution}.tsv"
    resources:
        mem_mb=3500,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.convert.convert_tfjs"
        r" --graph {input.graph:q} --output {output.folder:q} &> {log:q}"


rule quantize_tfjs:
    """The same model with narrower weights, as the converter itself writes it but without starting TensorFlow again."""
    input:
        model="results/{model}/{resolution}/tfjs/float32",
    output:
        folder=directory("results/{model}/{resolution}/tfjs/{dtype}"),
    log:
        "results/_logs/quantize_tfjs/{model}-{resolution}-{dtype}.log",
    benchmark:
        "results/_benchmarks/quantize_tfjs/{model}-{resolution}-{dtype}.tsv"
    wildcard_constraints:
        dtype="float16|uint16|uint8",
    resources:
        mem_mb=1000,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.convert.quantize_tfjs"
        r" --model {input.model:q} --dtype {wildcards.dtype:q}"
        r" --output {output.folder:q} &> {log:q}"


rule convert_tflite:
    """The same graph as one .tflite file, which LiteRT runs."""
    input:
        graph="results/{model}/{resolution}/optimized/model.pb",
    output:
        model="results/{model}/{resolution}/tflite/{tflite_dtype}.tflite",
    log:
        "results/_logs/convert_tflite/{model}-{resolution}-{tflite_dtype}.log",
    benchmark:
        "results/_benchmarks/convert_tflite/{model}-{resolution}-{tflite_dtype}.tsv"
    resources:
        mem_mb=3000,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.convert.convert_tflite"
        r" --graph {input.graph:q} --dtype {wildcards.tflite_dtype:q}"
        r" --output {output.model:q} &> {log:q}"
