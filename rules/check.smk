# Reads the predictions of rules/predict.smk and every artifact of rules/convert.smk.
# Writes results/{model}/{resolution}/rounding.json, loading.json, parity.json, size.json and parity.png. A check that fails writes
# NAME.failed.json.


rule measure_rounding:
    """What float32 rounding alone does to the network: the yardstick of what another backend may differ by."""
    input:
        weights="results/{model}/checkpoint/weights.safetensors",
        probes="results/_probes/{resolution}.safetensors",
        reference="results/{model}/{resolution}/predictions/torch.safetensors",
    output:
        report="results/{model}/{resolution}/rounding.json",
    log:
        "results/_logs/measure_rounding/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/measure_rounding/{model}-{resolution}.tsv"
    resources:
        mem_mb=5000,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.check.measure_rounding --weights {input.weights:q}"
        r" --probes {input.probes:q} --reference {input.reference:q} --threads {threads:q}"
        r" --output {output.report:q} &> {log:q}"


rule check_loading:
    """Fail unless TensorFlow.js holds, bit for bit, the weights that each model's shards stand for, and one graph for all."""
    input:
        run="results/{model}/{resolution}/tfjs/float32",
        models=expand("results/{{model}}/{{resolution}}/tfjs/{dtype}", dtype=settings.run_dtypes),
        loaded=expand("results/{{model}}/{{resolution}}/loaded/{dtype}.json", dtype=settings.run_dtypes),
    output:
        report="results/{model}/{resolution}/loading.json",
    log:
        "results/_logs/check_loading/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/check_loading/{model}-{resolution}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.check.check_loading --run {input.run:q} --models {input.models:q}"
        r" --loaded {input.loaded:q} --output {output.report:q} &> {log:q}"


rule check_parity:
    """Fail unless every hop computes what PyTorch computes, within limits that fit the network."""
    input:
        function=settings.function_evidence,
        reference="results/{model}/{resolution}/predictions/torch.safetensors",
        rounding="results/{model}/{resolution}/rounding.json",
        loading="results/{model}/{resolution}/loading.json",
        predictions=expand(
            "results/{{model}}/{{resolution}}/predictions/{backend}.safetensors",
            backend=["onnxruntime", "openvino", "tensorflow-frozen", "tensorflow-optimized"],
        )
        + expand(
            "results/{{model}}/{{resolution}}/predictions/tfjs-{dtype}.safetensors",
            dtype=settings.run_dtypes,
        )
        + expand(
            "results/{{model}}/{{resolution}}/predictions/litert-{tflite_dtype}.safetensors",
            tflite_dtype=config["tflite_dtypes"],
        ),
    output:
        report="results/{model}/{resolution}/parity.json",
    log:
        "results/_logs/check_parity/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/check_parity/{model}-{resolution}.tsv"
    resources:
        mem_mb=1500,
    params:
        tolerances=settings.tolerances,
        task=settings.task,
        function=lambda wildcards, input: ["--function", *input.function] if input.function else [],
        loading=lambda wildcards, input: ["--loading", input.loading] if input.loading else [],
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.check.check_parity --reference {input.reference:q} {params.function:q}"
        r" --predictions {input.predictions:q} {params.loading:q} --tolerances {params.tolerances:q} --rounding {input.rounding:q}"
        r" --task {params.task:q} --resolution {wildcards.resolution:q} --output {output.report:q} &> {log:q}"


rule check_size:
    """Fail unless every artifact holds each weight once and little else, and no TensorFlow.js graph has a detour."""
    input:
        architecture="results/{model}/checkpoint/architecture.json",
        onnx="results/{model}/{resolution}/onnx/model.onnx",
        xml="results/{model}/{resolution}/ir/model.xml",
        bin="results/{model}/{resolution}/ir/model.bin",
        frozen="results/{model}/{resolution}/frozen/model.pb",
        optimized="results/{model}/{resolution}/optimized/model.pb",
        tfjs=expand("results/{{model}}/{{resolution}}/tfjs/{dtype}", dtype=config["dtypes"]),
        tflite=expand(
            "results/{{model}}/{{resolution}}/tflite/{tflite_dtype}.tflite", tflite_dtype=config["tflite_dtypes"]
        ),
        plan=expand("results/{{model}}/{dtype}/report.json", dtype=settings.compact),
        int8_plan=expand("results/{{model}}/{tflite_dtype}/plan.json", tflite_dtype=settings.int8),
    output:
        report="results/{model}/{resolution}/size.json",
    log:
        "results/_logs/check_size/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/check_size/{model}-{resolution}.tsv"
    resources:
        mem_mb=2000,
    params:
        limits=json.dumps(config["sizes"], sort_keys=True),
        plan=lambda wildcards, input: ["--plan", input.plan] if input.plan else [],
        int8_plan=lambda wildcards, input: ["--int8-plan", input.int8_plan] if input.int8_plan else [],
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.check.check_size --architecture {input.architecture:q}"
        r" --resolution {wildcards.resolution:q} --onnx {input.onnx:q} --ir {input.xml:q} --frozen {input.frozen:q}"
        r" --optimized {input.optimized:q} --tfjs {input.tfjs:q}"
        r" --tflite {input.tflite:q} {params.plan:q} {params.int8_plan:q} --limits {params.limits:q} --output {output.report:q} &> {log:q}"


rule plot_parity:
    """Plot parity: a photo, its drawings, their difference, and each hop's error against its limit."""
    input:
        probes="results/_probes/{resolution}.safetensors",
        reference="results/{model}/{resolution}/predictions/torch.safetensors",
        tfjs="results/{model}/{resolution}/predictions/tfjs-float32.safetensors",
        parity="results/{model}/{resolution}/parity.json",
    output:
        plot=report(
            "results/{model}/{resolution}/parity.png",
            caption="report/parity.rst",
            category="Parity",
            labels={"model": "{model}", "resolution": "{resolution}"},
        ),
    log:
        "results/_logs/plot_parity/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/plot_parity/{model}-{resolution}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.check.plot_parity"
        r" --probes {input.probes:q} --reference {input.reference:q}"
        r" --tfjs {input.tfjs:q} --parity {input.parity:q}"
        r" --title {wildcards.model:q}' at '{wildcards.resolution:q} --output {output.plot:q} &> {log:q}"
