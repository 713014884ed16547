# Reads the models of one model in all formats, and PyTorch's predictions.
# Writes results/{model}/benchmark.json, .md and .png: how fast each engine draws, in one Chromium and natively. Only on request.
# Reads what the site's devices.html saved on other devices, and writes results/devices.md and .png of it.


rule convert_by_hand:
    """Convert the frozen graph to TensorFlow.js without our rewrites, to measure what the rewrites gain."""
    input:
        graph="results/{model}/{resolution}/frozen/model.pb",
    output:
        folder=directory("results/{model}/{resolution}/benchmark/by_hand"),
    log:
        "results/_logs/convert_by_hand/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/convert_by_hand/{model}-{resolution}.tsv"
    resources:
        mem_mb=3500,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.benchmark.convert_by_hand"
        r" --graph {input.graph:q} --output {output.folder:q} &> {log:q}"


rule make_dense_model:
    """Make a .tflite file of one dense product: it shows the best speed of LiteRT's kernels."""
    output:
        model="results/_benchmark_dense/product.tflite",
    log:
        "results/_logs/make_dense_model/all.log",
    benchmark:
        "results/_benchmarks/make_dense_model/all.tsv"
    resources:
        mem_mb=1500,
    params:
        # benchmark_model counts the multiply-adds of this side.
        side=1024,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.benchmark.make_dense_model"
        r" --side {params.side:q} --output {output.model:q} &> {log:q}"


rule build_benchmark_page:
    """Bundle the page that runs the engines. It is not part of the site."""
    input:
        package="web/package.json",
        sources=benchmark_page_sources(ROOT),
        stamp="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/_benchmark_page"),
    log:
        "results/_logs/build_benchmark_page/all.log",
    benchmark:
        "results/_benchmarks/build_benchmark_page/all.tsv"
    resources:
        mem_mb=2000,
    shell:
        r'PATH="$PWD/.venvs/node/bin:$PATH" npm run build:benchmark --prefix "$(dirname {input.package:q})" -- --outDir "$PWD"/{output.folder:q}'
        r" --emptyOutDir &> {log:q}"


rule benchmark_model:
    """Time a model's engines in turn, in one Chromium and one run. Fail if one draws something else than PyTorch."""
    input:
        architecture="results/{model}/checkpoint/architecture.json",
        probes=expand("results/_probes/{resolution}.safetensors", resolution=settings.benchmark_resolutions),
        reference=expand(
            "results/{{model}}/{resolution}/predictions/torch.safetensors", resolution=settings.benchmark_resolutions
        ),
        rounding=expand("results/{{model}}/{resolution}/rounding.json", resolution=settings.benchmark_resolutions),
        tfjs=expand(
            "results/{{model}}/{resolution}/tfjs/{dtype}",
            resolution=settings.benchmark_resolutions,
            dtype=config["dtypes"],
        ),
        by_hand=expand("results/{{model}}/{resolution}/benchmark/by_hand", resolution=settings.benchmark_resolutions),
        tflite=expand(
            "results/{{model}}/{resolution}/tflite/{tflite_dtype}.tflite",
            resolution=settings.benchmark_resolutions,
            tflite_dtype=settings.timed_tflite_dtypes,
        ),
        onnx=expand("results/{{model}}/{resolution}/onnx/model.onnx", resolution=settings.benchmark_resolutions),
        ir=expand("results/{{model}}/{resolution}/ir/model.xml", resolution=settings.benchmark_resolutions),
        dense="results/_benchmark_dense/product.tflite",
        page="results/_benchmark_page",
    output:
        report="results/{model}/benchmark.json",
    log:
        "results/_logs/benchmark_model/{model}.log",
    benchmark:
        "results/_benchmarks/benchmark_model/{model}.tsv"
    # Take all cores: another job beside it would slow down what is measured.
    threads: workflow.cores
    resources:
        mem_mb=12000,
    params:
        dtypes=config["dtypes"],
        tflite_dtypes=settings.timed_tflite_dtypes,
        plan=json.dumps(config["benchmark"], sort_keys=True),
        tolerances=settings.tolerances,
        task=settings.task,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.benchmark.benchmark_model"
        r" --model results/{wildcards.model:q} --probes {input.probes:q}"
        r" --page {input.page:q} --dense {input.dense:q} --dtypes {params.dtypes:q} --tflite-dtypes {params.tflite_dtypes:q} --plan {params.plan:q}"
        r" --tolerances {params.tolerances:q} --task {params.task:q}"
        r" --onnxruntime '.venvs/onnx/bin/python -m workflow_scripts.benchmark.time_onnxruntime'"
        r" --openvino '.venvs/tensorflow/bin/python -m workflow_scripts.benchmark.time_openvino'"
        r" --output {output.report:q} 2>&1 | tee {log:q}"


rule tabulate_benchmark:
    """Write the benchmark's figures as tables."""
    input:
        report="results/{model}/benchmark.json",
    output:
        table="results/{model}/benchmark.md",
    log:
        "results/_logs/tabulate_benchmark/{model}.log",
    benchmark:
        "results/_benchmarks/tabulate_benchmark/{model}.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.benchmark.tabulate_benchmark"
        r" --report {input.report:q} --output {output.table:q} 2> {log:q}"


rule plot_benchmark:
    """Plot the benchmark: each engine's frames beside ours, at every resolution and thread count."""
    input:
        report="results/{model}/benchmark.json",
    output:
        plot="results/{model}/benchmark.png",
    log:
        "results/_logs/plot_benchmark/{model}.log",
    benchmark:
        "results/_benchmarks/plot_benchmark/{model}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.benchmark.plot_benchmark"
        r" --report {input.report:q} --output {output.plot:q} &> {log:q}"


rule tabulate_devices:
    """Collect what the site's devices.html saved on several devices, a folder of files, into one table and one plot."""
    input:
        reports=settings.device_reports,
    output:
        table="results/devices.md",
        plot="results/devices.png",
    log:
        "results/_logs/tabulate_devices/all.log",
    benchmark:
        "results/_benchmarks/tabulate_devices/all.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.benchmark.tabulate_devices"
        r" --reports {input.reports:q} --table {output.table:q} --plot {output.plot:q} 2> {log:q}"
