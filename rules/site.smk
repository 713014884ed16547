# In: verified TensorFlow.js and LiteRT models and the page's sources. Out: results/site/, a static folder for any web server.


rule share_weights:
    """Store a model's weights once, content-addressed: float weights are the same at every resolution."""
    input:
        manifests=expand("results/{{model}}/{resolution}/manifest.json", resolution=config["resolutions"]),
        script="workflow_scripts/share_weights.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/tfjs_models.py",
            "workflow_scripts/tflite_models.py",
        ],
        environment=".venvs/tensorflow/installed.txt",
    output:
        folder=directory("results/{model}/shared"),
    log:
        "results/logs/share_weights/{model}.log",
    benchmark:
        "results/benchmarks/share_weights/{model}.tsv"
    resources:
        mem_mb=1500,
    params:
        dtypes=config["dtypes"],
        tflite_dtypes=config["tflite_dtypes"],
    shell:
        r".venvs/tensorflow/bin/python {input.script:q} --manifests {input.manifests:q} --dtypes {params.dtypes:q}"
        r" --tflite-dtypes {params.tflite_dtypes:q} --output {output.folder:q} &> {log:q}"


rule export_samples:
    """The sample photos that ship with the page."""
    input:
        script="workflow_scripts/export_samples.py",
        modules=["workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/torch/installed.txt",
    output:
        folder=directory("results/samples"),
    log:
        "results/logs/export_samples/all.log",
    benchmark:
        "results/benchmarks/export_samples/all.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/torch/bin/python {input.script:q} --output {output.folder:q} &> {log:q}"


rule install_page:
    """The page's locked npm packages; npm writes the stamp itself, last."""
    input:
        package="web/package.json",
        lock="web/package-lock.json",
        environment=".venvs/node/installed.txt",
    output:
        stamp="web/node_modules/.package-lock.json",
    log:
        "results/logs/install_page/all.log",
    benchmark:
        "results/benchmarks/install_page/all.tsv"
    resources:
        mem_mb=1500,
    shell:
        r'PATH="$PWD/.venvs/node/bin:$PATH" npm ci --prefix web --ignore-scripts --no-audit --no-fund &> {log:q}'


rule build_page:
    """Bundle the page."""
    input:
        sources=page_sources(),
        stamp="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/page"),
    log:
        "results/logs/build_page/all.log",
    benchmark:
        "results/benchmarks/build_page/all.tsv"
    resources:
        mem_mb=2000,
    shell:
        r'PATH="$PWD/.venvs/node/bin:$PATH" npm run build --prefix web -- --outDir "$PWD"/{output.folder:q} --emptyOutDir'
        r" &> {log:q}"


rule assemble_site:
    """The static folder: page, samples, catalogue, models and their shared weights, and where all of it comes from."""
    input:
        page="results/page",
        samples="results/samples",
        models=expand("results/{model}/shared", model=site_models()),
        manifests=expand(
            "results/{model}/{resolution}/manifest.json", model=site_models(), resolution=config["resolutions"]
        ),
        locks=BILLS.values(),
        bills=expand("results/bills/{bill}.cdx.json", bill=BILLS),
        cards=expand("results/{model}/{model}.cdx.json", model=site_models()),
        script="workflow_scripts/assemble_site.py",
        modules=["workflow_scripts/attestations.py", "workflow_scripts/commands.py", "workflow_scripts/files.py"],
        environment=".venvs/provenance/installed.txt",
    output:
        folder=directory("results/site"),
    log:
        "results/logs/assemble_site/all.log",
    benchmark:
        "results/benchmarks/assemble_site/all.tsv"
    resources:
        mem_mb=500,
    params:
        builder=f"pkg:pypi/snakemake@{snakemake.__version__}",
    shell:
        r".venvs/provenance/bin/python {input.script:q} --page {input.page:q} --samples {input.samples:q}"
        r" --models {input.models:q} --manifests {input.manifests:q} --locks {input.locks:q}"
        r" --bills {input.bills:q} {input.cards:q} --builder {params.builder:q} --output {output.folder:q} &> {log:q}"


rule serve:
    """Serve the site on localhost until Ctrl-C, with the headers that wasm threads need."""
    input:
        site="results/site",
        script="workflow_scripts/serve_site.py",
        modules=["workflow_scripts/commands.py"],
        environment=".venvs/torch/installed.txt",
    log:
        "results/logs/serve/all.log",
    params:
        port=config["port"],
    shell:
        r".venvs/torch/bin/python {input.script:q} --site {input.site:q} --port {params.port:q} 2> {log:q}"
