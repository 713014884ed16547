# Reads every artifact on the way: results/{model}/checkpoint/weights.safetensors, results/{model}/{resolution}/…
# Writes results/_probes/{resolution}.safetensors and in results/{model}/{resolution}/: predictions/{engine}.safetensors and
# loaded/{dtype}.json. For a user's ONNX file it also writes results/{model}/checkpoint/probes.safetensors and predictions/.


rule make_probe_inputs:
    """Make the inputs of all backends: real photos, seeded noise, an all-black and a saturated image."""
    output:
        probes="results/_probes/{resolution}.safetensors",
    log:
        "results/_logs/make_probe_inputs/{resolution}.log",
    benchmark:
        "results/_benchmarks/make_probe_inputs/{resolution}.tsv"
    resources:
        mem_mb=700,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.predict.make_probe_inputs --resolution {wildcards.resolution:q}"
        r" --output {output.probes:q} &> {log:q}"


rule predict_torch:
    """Predict with PyTorch: the reference. The rules of the other engines are made from this one."""
    input:
        model="results/{model}/checkpoint/weights.safetensors",
        probes="results/_probes/{resolution}.safetensors",
    output:
        predictions="results/{model}/{resolution}/predictions/torch.safetensors",
    log:
        "results/_logs/predict_torch/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/predict_torch/{model}-{resolution}.tsv"
    resources:
        mem_mb=3000,
    params:
        predict=[".venvs/torch/bin/python", "-m", "workflow_scripts.predict.predict_torch"],
    shell:
        r"{params.predict:q} --model {input.model:q} --probes {input.probes:q}"
        r" --threads {threads:q} --output {output.predictions:q} &> {log:q}"


# Predict with ONNX Runtime from the simplified ONNX file.
use rule predict_torch as predict_onnxruntime with:
    input:
        model="results/{model}/{resolution}/onnx/model.onnx",
        probes="results/_probes/{resolution}.safetensors",
    output:
        predictions="results/{model}/{resolution}/predictions/onnxruntime.safetensors",
    log:
        "results/_logs/predict_onnxruntime/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/predict_onnxruntime/{model}-{resolution}.tsv"
    resources:
        mem_mb=6500,
    params:
        predict=[".venvs/onnx/bin/python", "-m", "workflow_scripts.predict.predict_onnxruntime"],


# Predict with OpenVINO from the IR.
use rule predict_torch as predict_openvino with:
    input:
        model="results/{model}/{resolution}/ir/model.xml",
        bin="results/{model}/{resolution}/ir/model.bin",
        probes="results/_probes/{resolution}.safetensors",
    output:
        predictions="results/{model}/{resolution}/predictions/openvino.safetensors",
    log:
        "results/_logs/predict_openvino/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/predict_openvino/{model}-{resolution}.tsv"
    resources:
        mem_mb=2500,
    params:
        predict=[".venvs/tensorflow/bin/python", "-m", "workflow_scripts.predict.predict_openvino"],


# Predict with TensorFlow from the frozen or the optimized graph.
use rule predict_torch as predict_tensorflow with:
    input:
        model="results/{model}/{resolution}/{graph}/model.pb",
        probes="results/_probes/{resolution}.safetensors",
    output:
        predictions="results/{model}/{resolution}/predictions/tensorflow-{graph}.safetensors",
    log:
        "results/_logs/predict_tensorflow/{model}-{resolution}-{graph}.log",
    benchmark:
        "results/_benchmarks/predict_tensorflow/{model}-{resolution}-{graph}.tsv"
    resources:
        mem_mb=6000,
    params:
        predict=[".venvs/tensorflow/bin/python", "-m", "workflow_scripts.predict.predict_tensorflow"],


# Predict with LiteRT, natively. LiteRT.js has the same kernels in WebAssembly.
use rule predict_torch as predict_litert with:
    input:
        model="results/{model}/{resolution}/tflite/{tflite_dtype}.tflite",
        probes="results/_probes/{resolution}.safetensors",
    output:
        predictions="results/{model}/{resolution}/predictions/litert-{tflite_dtype}.safetensors",
    log:
        "results/_logs/predict_litert/{model}-{resolution}-{tflite_dtype}.log",
    benchmark:
        "results/_benchmarks/predict_litert/{model}-{resolution}-{tflite_dtype}.tsv"
    resources:
        mem_mb=3000,
    params:
        predict=[".venvs/litert/bin/python", "-m", "workflow_scripts.predict.predict_litert"],


rule predict_checkpoint:
    """What the ONNX file that was brought computes itself, at its own size: every other function is to equal this one."""
    input:
        checkpoint="results/{model}/checkpoint/original",
        source="results/{model}/checkpoint/source.json",
    output:
        probes="results/{model}/checkpoint/probes.safetensors",
        predictions="results/{model}/checkpoint/predictions/checkpoint.safetensors",
    log:
        "results/_logs/predict_checkpoint/{model}.log",
    benchmark:
        "results/_benchmarks/predict_checkpoint/{model}.tsv"
    resources:
        mem_mb=6500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.predict.predict_checkpoint --model {input.checkpoint:q}"
        r" --source {input.source:q} --probes {output.probes:q} --threads {threads:q}"
        r" --output {output.predictions:q} &> {log:q}"


# Predict with the network that was read from that file, on the same inputs.
use rule predict_torch as predict_rebuilt with:
    input:
        model="results/{model}/checkpoint/weights.safetensors",
        probes="results/{model}/checkpoint/probes.safetensors",
    output:
        predictions="results/{model}/checkpoint/predictions/torch.safetensors",
    log:
        "results/_logs/predict_rebuilt/{model}.log",
    benchmark:
        "results/_benchmarks/predict_rebuilt/{model}.tsv"
    resources:
        mem_mb=3000,


rule predict_tfjs:
    """Predict with TensorFlow.js on wasm, in Node.js. Only with float32 weights: see load_tfjs."""
    input:
        script="workflow_scripts/predict/predict_tfjs.cts",
        model="results/{model}/{resolution}/tfjs/float32",
        probes="results/_probes/{resolution}.safetensors",
    output:
        predictions="results/{model}/{resolution}/predictions/tfjs-float32.safetensors",
    log:
        "results/_logs/predict_tfjs/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/predict_tfjs/{model}-{resolution}.tsv"
    resources:
        mem_mb=4500,
    shell:
        r"NODE_PATH=.venvs/node/node_modules .venvs/node/bin/node {input.script:q}"
        r" --model {input.model:q} --probes {input.probes:q} --output {output.predictions:q} &> {log:q}"


rule load_tfjs:
    """Load a model with TensorFlow.js' own loader on wasm, and digest every tensor that it then holds."""
    input:
        script="workflow_scripts/predict/load_tfjs.cts",
        model="results/{model}/{resolution}/tfjs/{dtype}",
    output:
        report="results/{model}/{resolution}/loaded/{dtype}.json",
    log:
        "results/_logs/load_tfjs/{model}-{resolution}-{dtype}.log",
    benchmark:
        "results/_benchmarks/load_tfjs/{model}-{resolution}-{dtype}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r"NODE_PATH=.venvs/node/node_modules .venvs/node/bin/node {input.script:q}"
        r" --model {input.model:q} --output {output.report:q} &> {log:q}"


# Predict with TensorFlow from a quantized TensorFlow.js model: its graph, with the weights as TensorFlow.js loads them.
use rule predict_torch as predict_quantized with:
    input:
        model="results/{model}/{resolution}/tfjs/{dtype}",
        probes="results/_probes/{resolution}.safetensors",
    output:
        predictions="results/{model}/{resolution}/predictions/tfjs-{dtype}.safetensors",
    log:
        "results/_logs/predict_quantized/{model}-{resolution}-{dtype}.log",
    benchmark:
        "results/_benchmarks/predict_quantized/{model}-{resolution}-{dtype}.tsv"
    wildcard_constraints:
        dtype="float16|uint16|uint8|compact",
    resources:
        mem_mb=6000,
    params:
        predict=[".venvs/tensorflow/bin/python", "-m", "workflow_scripts.predict.predict_quantized"],
