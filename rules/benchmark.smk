# In: models of all kinds. Out: how fast each draws in one Chromium and natively, as JSON, table and picture. Opt-in.


rule convert_by_hand:
    """The frozen graph in TensorFlow.js as its converter alone makes it: what our rewrites are measured against."""
    input:
        graph="results/{model}/{resolution}/frozen/model.pb",
        script="workflow_scripts/convert_by_hand.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/graphs.py",
            "workflow_scripts/tools.py",
        ],
        environment=".venvs/tensorflow/installed.txt",
    output:
        folder=directory("results/{model}/{resolution}/benchmark/by_hand"),
    log:
        "results/logs/convert_by_hand/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/convert_by_hand/{model}-{resolution}.tsv"
    resources:
        mem_mb=3500,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --graph {input.graph:q} --output {output.folder:q} &> {log:q}"


rule make_dense_model:
    """One dense product as a .tflite file: how near LiteRT's kernels come to the best that they do."""
    input:
        script="workflow_scripts/make_dense_model.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/tensorflow/installed.txt",
    output:
        model="results/benchmark_dense/product.tflite",
    log:
        "results/logs/make_dense_model/all.log",
    benchmark:
        "results/benchmarks/make_dense_model/all.tsv"
    resources:
        mem_mb=1500,
    params:
        # As benchmark_model counts its multiply-adds.
        side=1024,
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --side {params.side:q} --output {output.model:q} &> {log:q}"


rule build_benchmark_page:
    """Bundle the page that runs the engines; it is no part of the site."""
    input:
        sources=benchmark_page_sources(),
        stamp="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/benchmark_page"),
    log:
        "results/logs/build_benchmark_page/all.log",
    benchmark:
        "results/benchmarks/build_benchmark_page/all.tsv"
    resources:
        mem_mb=2000,
    shell:
        r'PATH="$PWD/.venvs/node/bin:$PATH" npm run build:benchmark --prefix web -- --outDir "$PWD"/{output.folder:q}'
        r" --emptyOutDir &> {log:q}"


rule benchmark_model:
    """Time a model's engines in turn, in one Chromium and one run; whoever draws something else fails it."""
    input:
        architecture="results/{model}/checkpoint/architecture.json",
        probes=expand("results/probes/{resolution}.safetensors", resolution=BENCHMARK_RESOLUTIONS),
        reference=expand(
            "results/{{model}}/{resolution}/predictions/torch.safetensors", resolution=BENCHMARK_RESOLUTIONS
        ),
        tfjs=expand(
            "results/{{model}}/{resolution}/tfjs/{dtype}", resolution=BENCHMARK_RESOLUTIONS, dtype=config["dtypes"]
        ),
        by_hand=expand("results/{{model}}/{resolution}/benchmark/by_hand", resolution=BENCHMARK_RESOLUTIONS),
        tflite=expand("results/{{model}}/{resolution}/tflite/float32.tflite", resolution=BENCHMARK_RESOLUTIONS),
        onnx=expand("results/{{model}}/{resolution}/onnx/model.onnx", resolution=BENCHMARK_RESOLUTIONS),
        ir=expand("results/{{model}}/{resolution}/ir/model.xml", resolution=BENCHMARK_RESOLUTIONS),
        dense="results/benchmark_dense/product.tflite",
        page="results/benchmark_page",
        script="workflow_scripts/benchmark_model.py",
        onnxruntime="workflow_scripts/time_onnxruntime.py",
        openvino="workflow_scripts/time_openvino.py",
        modules=[
            "workflow_scripts/check_parity.py",
            "workflow_scripts/commands.py",
            "workflow_scripts/contenders.py",
            "workflow_scripts/files.py",
            "workflow_scripts/images.py",
            "workflow_scripts/make_probe_inputs.py",
            "workflow_scripts/metrics.py",
            "workflow_scripts/predict_browser.py",
            "workflow_scripts/predictions.py",
            "workflow_scripts/serve_site.py",
            "workflow_scripts/timed_frames.py",
        ],
        environment=".venvs/torch/installed.txt",
        onnx_environment=".venvs/onnx/installed.txt",
        tensorflow_environment=".venvs/tensorflow/installed.txt",
    output:
        report="results/{model}/benchmark.json",
    log:
        "results/logs/benchmark_model/{model}.log",
    benchmark:
        "results/benchmarks/benchmark_model/{model}.tsv"
    # All there are: what runs beside it would be measured too.
    threads: workflow.cores
    resources:
        mem_mb=12000,
    params:
        dtypes=config["dtypes"],
        plan=json.dumps(config["benchmark"], sort_keys=True),
        tolerances=tolerances,
        task=lambda wildcards: CHECKPOINTS[wildcards.model]["task"],
    shell:
        r".venvs/torch/bin/python {input.script:q} --model results/{wildcards.model:q} --probes {input.probes:q}"
        r" --page {input.page:q} --dense {input.dense:q} --dtypes {params.dtypes:q} --plan {params.plan:q}"
        r" --tolerances {params.tolerances:q} --task {params.task:q}"
        r" --onnxruntime .venvs/onnx/bin/python {input.onnxruntime:q}"
        r" --openvino .venvs/tensorflow/bin/python {input.openvino:q} --output {output.report:q} 2>&1 | tee {log:q}"


rule tabulate_benchmark:
    """The benchmark's figures as tables, ratios first."""
    input:
        report="results/{model}/benchmark.json",
        script="workflow_scripts/tabulate_benchmark.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/torch/installed.txt",
    output:
        table="results/{model}/benchmark.md",
    log:
        "results/logs/tabulate_benchmark/{model}.log",
    benchmark:
        "results/benchmarks/tabulate_benchmark/{model}.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/torch/bin/python {input.script:q} --report {input.report:q} --output {output.table:q} 2> {log:q}"


rule plot_benchmark:
    """A picture of it: each engine's frames beside ours, at every resolution and thread count."""
    input:
        report="results/{model}/benchmark.json",
        script="workflow_scripts/plot_benchmark.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/torch/installed.txt",
    output:
        plot="results/{model}/benchmark.png",
    log:
        "results/logs/plot_benchmark/{model}.log",
    benchmark:
        "results/benchmarks/plot_benchmark/{model}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/torch/bin/python {input.script:q} --report {input.report:q} --output {output.plot:q} &> {log:q}"
