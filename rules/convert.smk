# Reads results/{model}/checkpoint/weights.safetensors.
# Writes results/{model}/onnx/dynamic.onnx and in results/{model}/{resolution}/: onnx/, ir/, frozen/, optimized/, tfjs/, tflite/.


rule export_onnx:
    """Export one ONNX file per model with open height and width. Fixing a resolution afterwards takes seconds."""
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
    """Fix the size of the input and fold what follows from it. The later converters take fixed shapes only."""
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
    """Convert to OpenVINO IR in FP32, which openvino2tensorflow reads."""
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
    """Rebuild the IR as one frozen NHWC TensorFlow graph. A SavedModel would meet protobuf's limit of 2 GB."""
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
    """Remove the graph's detours, so that every convolution fuses with its bias. Name input and output x and d0."""
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
    """Convert to a TensorFlow.js graph model in float32, with sorted keys in model.json."""
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
    """Quantize the weights of that model. The bytes are the converter's own, but TensorFlow does not start again."""
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
    """Convert the same graph to one .tflite file, which LiteRT runs."""
    input:
        graph="results/{model}/{resolution}/optimized/model.pb",
    output:
        model="results/{model}/{resolution}/tflite/{tflite_dtype}.tflite",
    log:
        "results/_logs/convert_tflite/{model}-{resolution}-{tflite_dtype}.log",
    benchmark:
        "results/_benchmarks/convert_tflite/{model}-{resolution}-{tflite_dtype}.tsv"
    wildcard_constraints:
        tflite_dtype="float32|float16",
    resources:
        mem_mb=3000,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.convert.convert_tflite"
        r" --graph {input.graph:q} --dtype {wildcards.tflite_dtype:q}"
        r" --output {output.model:q} &> {log:q}"
