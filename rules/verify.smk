# In: every artifact on the way. Out: predictions on the same probe inputs, the checks' reports, a picture, the manifest.


rule make_probe_inputs:
    """The inputs that all backends see: real photos, seeded noise, an all-black and a saturated image."""
    input:
        script="workflow_scripts/make_probe_inputs.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py", "workflow_scripts/images.py"],
        environment=".venvs/torch/installed.txt",
    output:
        probes="results/probes/{resolution}.safetensors",
    log:
        "results/logs/make_probe_inputs/{resolution}.log",
    benchmark:
        "results/benchmarks/make_probe_inputs/{resolution}.tsv"
    resources:
        mem_mb=700,
    shell:
        r".venvs/torch/bin/python {input.script:q} --resolution {wildcards.resolution:q}"
        r" --output {output.probes:q} &> {log:q}"


rule predict_torch:
    """PyTorch's own output: the reference."""
    input:
        model="results/{model}/checkpoint/weights.safetensors",
        probes="results/probes/{resolution}.safetensors",
        script="workflow_scripts/predict_torch.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/load_network.py",
            "workflow_scripts/predictions.py",
            "workflow_scripts/u2net.py",
        ],
        environment=".venvs/torch/installed.txt",
    output:
        predictions="results/{model}/{resolution}/predictions/torch.safetensors",
    log:
        "results/logs/predict_torch/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/predict_torch/{model}-{resolution}.tsv"
    resources:
        mem_mb=3000,
    shell:
        r".venvs/torch/bin/python {input.script:q} --model {input.model:q} --probes {input.probes:q}"
        r" --threads {threads:q} --output {output.predictions:q} &> {log:q}"


rule predict_onnxruntime:
    """What the simplified ONNX file computes."""
    input:
        model="results/{model}/{resolution}/onnx/model.onnx",
        probes="results/probes/{resolution}.safetensors",
        script="workflow_scripts/predict_onnxruntime.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/predictions.py",
        ],
        environment=".venvs/onnx/installed.txt",
    output:
        predictions="results/{model}/{resolution}/predictions/onnxruntime.safetensors",
    log:
        "results/logs/predict_onnxruntime/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/predict_onnxruntime/{model}-{resolution}.tsv"
    resources:
        mem_mb=6500,
    shell:
        r".venvs/onnx/bin/python {input.script:q} --model {input.model:q} --probes {input.probes:q}"
        r" --threads {threads:q} --output {output.predictions:q} &> {log:q}"


rule predict_openvino:
    """What the IR computes."""
    input:
        xml="results/{model}/{resolution}/ir/model.xml",
        bin="results/{model}/{resolution}/ir/model.bin",
        probes="results/probes/{resolution}.safetensors",
        script="workflow_scripts/predict_openvino.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/predictions.py",
        ],
        environment=".venvs/tensorflow/installed.txt",
    output:
        predictions="results/{model}/{resolution}/predictions/openvino.safetensors",
    log:
        "results/logs/predict_openvino/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/predict_openvino/{model}-{resolution}.tsv"
    resources:
        mem_mb=2500,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --model {input.xml:q} --probes {input.probes:q}"
        r" --threads {threads:q} --output {output.predictions:q} &> {log:q}"


rule predict_tensorflow:
    """What the frozen and the optimized graph compute."""
    input:
        model="results/{model}/{resolution}/{graph}/model.pb",
        probes="results/probes/{resolution}.safetensors",
        script="workflow_scripts/predict_tensorflow.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/graphs.py",
            "workflow_scripts/predictions.py",
        ],
        environment=".venvs/tensorflow/installed.txt",
    output:
        predictions="results/{model}/{resolution}/predictions/tensorflow-{graph}.safetensors",
    log:
        "results/logs/predict_tensorflow/{model}-{resolution}-{graph}.log",
    benchmark:
        "results/benchmarks/predict_tensorflow/{model}-{resolution}-{graph}.tsv"
    resources:
        mem_mb=6000,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --model {input.model:q} --probes {input.probes:q}"
        r" --threads {threads:q} --output {output.predictions:q} &> {log:q}"


rule predict_tfjs:
    """What TensorFlow.js computes on wasm, in Node.js."""
    input:
        model="results/{model}/{resolution}/tfjs/{dtype}",
        probes="results/probes/{resolution}.safetensors",
        script="workflow_scripts/predict_tfjs.cts",
        environment=".venvs/node/installed.txt",
    output:
        predictions="results/{model}/{resolution}/predictions/tfjs-{dtype}.safetensors",
    log:
        "results/logs/predict_tfjs/{model}-{resolution}-{dtype}.log",
    benchmark:
        "results/benchmarks/predict_tfjs/{model}-{resolution}-{dtype}.tsv"
    resources:
        mem_mb=4500,
    shell:
        r"NODE_PATH=.venvs/node/node_modules .venvs/node/bin/node {input.script:q} --model {input.model:q}"
        r" --probes {input.probes:q} --output {output.predictions:q} &> {log:q}"


rule predict_litert:
    """What LiteRT computes, natively; the browser's LiteRT.js has the same kernels in WebAssembly."""
    input:
        model="results/{model}/{resolution}/tflite/{tflite_dtype}.tflite",
        probes="results/probes/{resolution}.safetensors",
        script="workflow_scripts/predict_litert.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/predictions.py",
        ],
        environment=".venvs/litert/installed.txt",
    output:
        predictions="results/{model}/{resolution}/predictions/litert-{tflite_dtype}.safetensors",
    log:
        "results/logs/predict_litert/{model}-{resolution}-{tflite_dtype}.log",
    benchmark:
        "results/benchmarks/predict_litert/{model}-{resolution}-{tflite_dtype}.tsv"
    resources:
        mem_mb=3000,
    shell:
        r".venvs/litert/bin/python {input.script:q} --model {input.model:q} --probes {input.probes:q}"
        r" --threads {threads:q} --output {output.predictions:q} &> {log:q}"


rule check_parity:
    """Fail unless every hop computes what PyTorch computes, within the limits of config.yaml."""
    input:
        reference="results/{model}/{resolution}/predictions/torch.safetensors",
        predictions=expand(
            "results/{{model}}/{{resolution}}/predictions/{backend}.safetensors",
            backend=["onnxruntime", "openvino", "tensorflow-frozen", "tensorflow-optimized"],
        )
        + expand(
            "results/{{model}}/{{resolution}}/predictions/tfjs-{dtype}.safetensors",
            dtype=config["dtypes"],
        )
        + expand(
            "results/{{model}}/{{resolution}}/predictions/litert-{tflite_dtype}.safetensors",
            tflite_dtype=config["tflite_dtypes"],
        ),
        script="workflow_scripts/check_parity.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/images.py",
            "workflow_scripts/metrics.py",
            "workflow_scripts/predictions.py",
        ],
        environment=".venvs/torch/installed.txt",
    output:
        report="results/{model}/{resolution}/parity.json",
    log:
        "results/logs/check_parity/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/check_parity/{model}-{resolution}.tsv"
    resources:
        mem_mb=1500,
    params:
        tolerances=tolerances,
        task=lambda wildcards: CHECKPOINTS[wildcards.model]["task"],
    shell:
        r".venvs/torch/bin/python {input.script:q} --reference {input.reference:q}"
        r" --predictions {input.predictions:q} --tolerances {params.tolerances:q} --task {params.task:q}"
        r" --resolution {wildcards.resolution:q} --output {output.report:q} &> {log:q}"


rule check_size:
    """Fail unless every artifact holds each weight once, little beside, and TensorFlow.js meets no detours."""
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
        plan=expand("results/{{model}}/{dtype}/report.json", dtype={"compact"}.intersection(config["dtypes"])),
        script="workflow_scripts/check_size.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/graphs.py",
            "workflow_scripts/tfjs_models.py",
            "workflow_scripts/tfjs_structure.py",
            "workflow_scripts/tflite_models.py",
        ],
        environment=".venvs/tensorflow/installed.txt",
    output:
        report="results/{model}/{resolution}/size.json",
    log:
        "results/logs/check_size/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/check_size/{model}-{resolution}.tsv"
    resources:
        mem_mb=2000,
    params:
        limits=json.dumps(config["sizes"], sort_keys=True),
        plan=lambda wildcards, input: ["--plan", input.plan] if input.plan else [],
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --architecture {input.architecture:q}"
        r" --resolution {wildcards.resolution:q} --onnx {input.onnx:q} --ir {input.xml:q} --frozen {input.frozen:q}"
        r" --optimized {input.optimized:q} --tfjs {input.tfjs:q}"
        r" --tflite {input.tflite:q} {params.plan:q} --limits {params.limits:q} --output {output.report:q} &> {log:q}"


rule plot_parity:
    """A picture to judge parity by: photos, drawings, their difference, each hop's error against its limit."""
    input:
        probes="results/probes/{resolution}.safetensors",
        reference="results/{model}/{resolution}/predictions/torch.safetensors",
        tfjs=expand(
            "results/{{model}}/{{resolution}}/predictions/tfjs-{dtype}.safetensors",
            dtype=config["dtypes"][0],
        ),
        parity="results/{model}/{resolution}/parity.json",
        script="workflow_scripts/plot_parity.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/images.py",
            "workflow_scripts/predictions.py",
        ],
        environment=".venvs/torch/installed.txt",
    output:
        plot=report(
            "results/{model}/{resolution}/parity.png",
            caption="report/parity.rst",
            category="Parity",
            labels={"model": "{model}", "resolution": "{resolution}"},
        ),
    log:
        "results/logs/plot_parity/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/plot_parity/{model}-{resolution}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/torch/bin/python {input.script:q} --probes {input.probes:q} --reference {input.reference:q}"
        r" --tfjs {input.tfjs:q} --parity {input.parity:q}"
        r" --title {wildcards.model:q}' at '{wildcards.resolution:q} --output {output.plot:q} &> {log:q}"


rule plot_sizes:
    """What each weight type takes against how close its drawing comes to PyTorch's."""
    input:
        manifest="results/{model}/{resolution}/manifest.json",
        script="workflow_scripts/plot_sizes.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/torch/installed.txt",
    output:
        plot="results/{model}/{resolution}/sizes.png",
    log:
        "results/logs/plot_sizes/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/plot_sizes/{model}-{resolution}.tsv"
    resources:
        mem_mb=1000,
    shell:
        r".venvs/torch/bin/python {input.script:q} --manifest {input.manifest:q}"
        r" --title {wildcards.model:q}' at '{wildcards.resolution:q} --output {output.plot:q} &> {log:q}"


rule plot_levels:
    """A photo's drawing at several PSNRs, to judge a floor by eye."""
    input:
        model="results/{model}/{resolution}/tfjs/float32",
        probes="results/probes/{resolution}.safetensors",
        script="workflow_scripts/plot_levels.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/graph_models.py",
            "workflow_scripts/images.py",
            "workflow_scripts/metrics.py",
            "workflow_scripts/round_kernels.py",
            "workflow_scripts/tfjs_models.py",
        ],
        environment=".venvs/torch/installed.txt",
    output:
        plot="results/{model}/{resolution}/levels.png",
    log:
        "results/logs/plot_levels/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/plot_levels/{model}-{resolution}.tsv"
    resources:
        mem_mb=3000,
    params:
        task=lambda wildcards: CHECKPOINTS[wildcards.model]["task"],
    shell:
        r".venvs/torch/bin/python {input.script:q} --model {input.model:q} --probes {input.probes:q} --probe astronaut"
        r" --task {params.task:q} --threads {threads:q} --output {output.plot:q} &> {log:q}"


rule write_manifest:
    """One resolution's artifacts with their digests, the checks' figures and what they were made with."""
    input:
        checkpoint="results/{model}/checkpoint/original",
        architecture="results/{model}/checkpoint/architecture.json",
        parity="results/{model}/{resolution}/parity.json",
        sizes="results/{model}/{resolution}/size.json",
        artifacts=[
            "results/{model}/checkpoint/weights.safetensors",
            "results/{model}/onnx/dynamic.onnx",
            "results/{model}/{resolution}/onnx/model.onnx",
            "results/{model}/{resolution}/ir/model.xml",
            "results/{model}/{resolution}/ir/model.bin",
            "results/{model}/{resolution}/frozen/model.pb",
            "results/{model}/{resolution}/optimized/model.pb",
        ]
        + expand("results/{{model}}/{{resolution}}/tfjs/{dtype}", dtype=config["dtypes"])
        + expand("results/{{model}}/{{resolution}}/tflite/{tflite_dtype}.tflite", tflite_dtype=config["tflite_dtypes"])
        + expand("results/{{model}}/{dtype}/report.json", dtype={"compact"}.intersection(config["dtypes"])),
        evidence=[
            "results/probes/{resolution}.safetensors",
            *expand(
                "results/{{model}}/{{resolution}}/predictions/{backend}.safetensors",
                backend=["torch", "onnxruntime", "openvino", "tensorflow-frozen", "tensorflow-optimized"],
            ),
            *expand("results/{{model}}/{{resolution}}/predictions/tfjs-{dtype}.safetensors", dtype=config["dtypes"]),
            *expand(
                "results/{{model}}/{{resolution}}/predictions/litert-{tflite_dtype}.safetensors",
                tflite_dtype=config["tflite_dtypes"],
            ),
            *expand("results/{{model}}/{dtype}/weights.safetensors", dtype={"compact"}.intersection(config["dtypes"])),
        ],
        locks=[
            "envs/torch.txt",
            "envs/onnx.txt",
            "envs/tensorflow.txt",
            "envs/litert.txt",
            "envs/node/requirements.txt",
        ],
        script="workflow_scripts/write_manifest.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/torch/installed.txt",
    output:
        manifest="results/{model}/{resolution}/manifest.json",
    log:
        "results/logs/write_manifest/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/write_manifest/{model}-{resolution}.tsv"
    resources:
        mem_mb=500,
    params:
        terms=licence_terms,
    shell:
        r".venvs/torch/bin/python {input.script:q} --model {wildcards.model:q} --resolution {wildcards.resolution:q}"
        r" {params.terms:q} --checkpoint {input.checkpoint:q} --architecture {input.architecture:q}"
        r" --parity {input.parity:q} --size {input.sizes:q} --artifacts {input.artifacts:q}"
        r" --evidence {input.evidence:q} --locks {input.locks:q} --output {output.manifest:q} &> {log:q}"


rule summarize_manifests:
    """The manifests' figures as one table, printed at the end."""
    input:
        manifests=expand("results/{model}/{resolution}/manifest.json", model=MODELS, resolution=config["resolutions"]),
        script="workflow_scripts/summarize_manifests.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/torch/installed.txt",
    output:
        table="results/summary.md",
        page=report("results/summary.html", caption="report/summary.rst", category="Summary"),
    log:
        "results/logs/summarize_manifests/all.log",
    benchmark:
        "results/benchmarks/summarize_manifests/all.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/torch/bin/python {input.script:q} --manifests {input.manifests:q} --table {output.table:q}"
        r" --page {output.page:q} 2> {log:q}"


rule verify_manifests:
    """Digest every artifact again and compare with its manifest; run it after copying or before hosting."""
    input:
        manifests=expand("results/{model}/{resolution}/manifest.json", model=MODELS, resolution=config["resolutions"]),
        script="workflow_scripts/verify_manifests.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/write_manifest.py",
        ],
        environment=".venvs/torch/installed.txt",
    log:
        "results/logs/verify_manifests/all.log",
    resources:
        mem_mb=500,
    shell:
        r".venvs/torch/bin/python {input.script:q} --manifests {input.manifests:q} 2> {log:q}"
