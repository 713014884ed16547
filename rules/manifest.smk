# Reads every artifact of one resolution, the reports of its checks, and the predictions that they compared.
# Writes results/{model}/{resolution}/manifest.json, results/summary.md and summary.html.


rule write_manifest:
    """Record one resolution: the digests of its artifacts, the figures of its checks, tools and commit."""
    input:
        checkpoint="results/{model}/checkpoint/original",
        architecture="results/{model}/checkpoint/architecture.json",
        parity="results/{model}/{resolution}/parity.json",
        sizes="results/{model}/{resolution}/size.json",
        provenance=lambda wildcards: [local(path) for path in settings.provenance(wildcards)],
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
        + expand("results/{{model}}/{dtype}/report.json", dtype=settings.compact)
        + expand("results/{{model}}/{tflite_dtype}/plan.json", tflite_dtype=settings.int8),
        function=settings.function_evidence,
        function_probes=settings.function_probes,
        evidence=[
            "results/{model}/checkpoint/source.json",
            "results/_probes/{resolution}.safetensors",
            "results/{model}/{resolution}/rounding.json",
            *expand(
                "results/{{model}}/{{resolution}}/predictions/{backend}.safetensors",
                backend=["torch", "onnxruntime", "openvino", "tensorflow-frozen", "tensorflow-optimized"],
            ),
            *expand(
                "results/{{model}}/{{resolution}}/predictions/tfjs-{dtype}.safetensors", dtype=settings.run_dtypes
            ),
            *expand("results/{{model}}/{{resolution}}/loaded/{dtype}.json", dtype=settings.run_dtypes),
            "results/{model}/{resolution}/loading.json",
            # The model that WebAssembly runs, if it was not asked for as an artifact.
            *expand(
                "results/{{model}}/{{resolution}}/tfjs/{dtype}",
                dtype=[dtype for dtype in settings.run_dtypes if dtype not in config["dtypes"]],
            ),
            *expand(
                "results/{{model}}/{{resolution}}/predictions/litert-{tflite_dtype}.safetensors",
                tflite_dtype=config["tflite_dtypes"],
            ),
            *expand("results/{{model}}/{dtype}/weights.safetensors", dtype=settings.compact),
            "results/{model}/{resolution}/parity.png",
        ],
        locks=[
            "envs/torch.txt",
            "envs/onnx.txt",
            "envs/tensorflow.txt",
            "envs/litert.txt",
            "envs/node/requirements.txt",
        ],
    output:
        manifest="results/{model}/{resolution}/manifest.json",
    log:
        "results/_logs/write_manifest/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/write_manifest/{model}-{resolution}.tsv"
    resources:
        mem_mb=500,
    params:
        terms=settings.licence_terms,
        provenance=lambda wildcards, input: ["--provenance", *input.provenance] if input.provenance else [],
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.manifest.write_manifest"
        r" --model {wildcards.model:q} --resolution {wildcards.resolution:q}"
        r" {params.terms:q} {params.provenance:q} --checkpoint {input.checkpoint:q} --architecture {input.architecture:q}"
        r" --parity {input.parity:q} --size {input.sizes:q} --artifacts {input.artifacts:q}"
        r" --evidence {input.function:q} {input.function_probes:q} {input.evidence:q} --locks {input.locks:q} --output {output.manifest:q} &> {log:q}"


rule summarize_manifests:
    """Write the figures of all manifests as one table, and print it."""
    input:
        manifests=expand(
            "results/{model}/{resolution}/manifest.json", model=settings.models, resolution=config["resolutions"]
        ),
        # The predictions of each resolution and those at the model's own resolution, to compare them.
        predictions=settings.predictions_to_compare(),
    output:
        table="results/summary.md",
        page=report("results/summary.html", caption="report/summary.rst", category="Summary"),
    log:
        "results/_logs/summarize_manifests/all.log",
    benchmark:
        "results/_benchmarks/summarize_manifests/all.tsv"
    resources:
        mem_mb=500,
    params:
        own=json.dumps(settings.own_resolutions, sort_keys=True),
        # A bucket compares the artifacts' digests itself, and this machine has the manifests only.
        only=["--manifests-only"] if workflow.storage_settings.default_storage_provider else [],
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.manifest.summarize_manifests"
        r" --manifests {input.manifests:q} {params.only:q} --own {params.own:q} --table {output.table:q}"
        r" --page {output.page:q} 2> {log:q}"


rule verify_manifests:
    """Compare every artifact on disk with the manifest that is there. Use it after copying and before hosting."""
    log:
        "results/_logs/verify_manifests/all.log",
    resources:
        mem_mb=500,
    params:
        manifests=settings.built_manifests,
        checkpoints=settings.named_checkpoints,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.manifest.verify_manifests"
        r" --manifests {params.manifests:q} --summaries results/summary.md results/summary.html"
        r" --checkpoints {params.checkpoints:q} 2> {log:q}"
