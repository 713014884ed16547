# Reads passed manifests with their TensorFlow.js and LiteRT models, the page's sources in web/, the lock files.
# Writes results/{model}/probe/, results/{model}/shared/, results/_page/, results/_library/, results/_samples/, results/_bills/ and results/site/,
# a static folder for any web server. On request it writes results/{model}/{resolution}/browser.json, the check of the page in Chromium,
# and results/npm/, the library for other pages as a package.


rule share_probe:
    """Write a probe photo and PyTorch's output of it, with which a page checks a visitor's GPU."""
    input:
        manifest=f"results/{{model}}/{min(config['resolutions'])}/manifest.json",
        probes=f"results/_probes/{min(config['resolutions'])}.safetensors",
        reference=f"results/{{model}}/{min(config['resolutions'])}/predictions/torch.safetensors",
    output:
        folder=directory("results/{model}/probe"),
    log:
        "results/_logs/share_probe/{model}.log",
    benchmark:
        "results/_benchmarks/share_probe/{model}.tsv"
    resources:
        mem_mb=700,
    params:
        tolerances=settings.tolerances,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.website.share_probe --manifest {input.manifest:q}"
        r" --probes {input.probes:q} --reference {input.reference:q} --tolerances {params.tolerances:q}"
        r" --output {output.folder:q} &> {log:q}"


rule share_weights:
    """Store a model's weights once for all resolutions, in files named after their digest."""
    input:
        manifests=expand("results/{{model}}/{resolution}/manifest.json", resolution=config["resolutions"]),
        probe="results/{model}/probe",
    output:
        folder=directory("results/{model}/shared"),
    log:
        "results/_logs/share_weights/{model}.log",
    benchmark:
        "results/_benchmarks/share_weights/{model}.tsv"
    resources:
        mem_mb=1500,
    params:
        dtypes=config["dtypes"],
        tflite_dtypes=config["tflite_dtypes"],
        own=settings.own_resolution,
    shell:
        r".venvs/tensorflow/bin/python -m workflow_scripts.website.share_weights"
        r" --manifests {input.manifests:q} --dtypes {params.dtypes:q} --own-resolution {params.own:q}"
        r" --probe {input.probe:q}"
        r" --tflite-dtypes {params.tflite_dtypes:q} --output {output.folder:q} &> {log:q}"


rule export_samples:
    """Write the sample photos of the page."""
    output:
        folder=directory("results/_samples"),
    log:
        "results/_logs/export_samples/all.log",
    benchmark:
        "results/_benchmarks/export_samples/all.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.website.export_samples --output {output.folder:q} &> {log:q}"


rule install_page:
    """Install the page's locked npm packages. npm itself writes the stamp, last."""
    input:
        package="web/package.json",
        lock="web/package-lock.json",
        environment=".venvs/node/installed.txt",
    output:
        stamp="web/node_modules/.package-lock.json",
    log:
        "results/_logs/install_page/all.log",
    benchmark:
        "results/_benchmarks/install_page/all.tsv"
    resources:
        mem_mb=1500,
    shell:
        r'PATH="$PWD/.venvs/node/bin:$PATH" npm ci --prefix "$(dirname {input.package:q})" --ignore-scripts --no-audit --no-fund &> {log:q}'


rule build_page:
    """Bundle the page. The rules of the library are made from this one."""
    input:
        package="web/package.json",
        sources=page_sources(ROOT),
        stamp="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/_page"),
    log:
        "results/_logs/build_page/all.log",
    benchmark:
        "results/_benchmarks/build_page/all.tsv"
    resources:
        mem_mb=2000,
    params:
        script="build",
    shell:
        r'PATH="$PWD/.venvs/node/bin:$PATH" .venvs/torch/bin/python -m workflow_scripts.website.build_page'
        r' --web "$(dirname {input.package:q})" --script {params.script:q} --output {output.folder:q} &> {log:q}'


# Bundle the library that other pages import, and the element.
use rule build_page as build_library with:
    input:
        package="web/package.json",
        sources=library_sources(ROOT),
        stamp="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/_library"),
    log:
        "results/_logs/build_library/all.log",
    benchmark:
        "results/_benchmarks/build_library/all.tsv"
    resources:
        mem_mb=1500,
    params:
        script="build:library",


# Write the library's type declarations for TypeScript.
use rule build_page as declare_types with:
    input:
        package="web/package.json",
        sources=library_sources(ROOT),
        stamp="web/node_modules/.package-lock.json",
    output:
        folder=directory("results/_library_types"),
    log:
        "results/_logs/declare_types/all.log",
    benchmark:
        "results/_benchmarks/declare_types/all.tsv"
    resources:
        mem_mb=1500,
    params:
        script="build:types",


rule npm:
    """Make a package of the library, ready for `npm publish`. Models and engines stay on the site."""
    input:
        library="results/_library",
        types="results/_library_types",
        package="web/lib/package.json",
        readme="docs/library.md",
        licence="LICENSE",
    output:
        folder=directory("results/npm"),
    log:
        "results/_logs/npm/all.log",
    benchmark:
        "results/_benchmarks/npm/all.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.website.assemble_package"
        r" --library {input.library:q} --types {input.types:q} --files {input.package:q} {input.licence:q}"
        r" --readme {input.readme:q} --output {output.folder:q} &> {log:q}"


rule list_components:
    """List what one lock file installs, as a CycloneDX software bill of materials."""
    input:
        lock=lambda wildcards: BILLS[wildcards.bill],
    output:
        bill="results/_bills/{bill}.cdx.json",
    log:
        "results/_logs/list_components/{bill}.log",
    benchmark:
        "results/_benchmarks/list_components/{bill}.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/provenance/bin/python -m workflow_scripts.website.list_components"
        r" --lock {input.lock:q} --output {output.bill:q} &> {log:q}"


rule describe_model:
    """Write a model's card: task, architecture, licence and the figures of its checks, as a CycloneDX component."""
    input:
        manifests=expand("results/{{model}}/{resolution}/manifest.json", resolution=config["resolutions"]),
    output:
        bill="results/{model}/{model}.cdx.json",
    log:
        "results/_logs/describe_model/{model}.log",
    benchmark:
        "results/_benchmarks/describe_model/{model}.tsv"
    resources:
        mem_mb=500,
    shell:
        r".venvs/provenance/bin/python -m workflow_scripts.website.describe_model"
        r" --manifests {input.manifests:q} --output {output.bill:q} &> {log:q}"


rule assemble_site:
    """Assemble the static folder: page, samples, catalogue, models, shared weights and provenance."""
    input:
        page="results/_page",
        library="results/_library",
        samples="results/_samples",
        models=expand("results/{model}/shared", model=settings.site_models()),
        manifests=expand(
            "results/{model}/{resolution}/manifest.json",
            model=settings.site_models(),
            resolution=config["resolutions"],
        ),
        locks=BILLS.values(),
        bills=expand("results/_bills/{bill}.cdx.json", bill=BILLS),
        cards=expand("results/{model}/{model}.cdx.json", model=settings.site_models()),
    output:
        folder=directory("results/site"),
    log:
        "results/_logs/assemble_site/all.log",
    benchmark:
        "results/_benchmarks/assemble_site/all.tsv"
    resources:
        mem_mb=500,
    params:
        builder=f"pkg:pypi/snakemake@{snakemake.__version__}",
        address=config["site_address"] or "",
        leaving=settings.say_what_leaves,
    shell:
        r".venvs/provenance/bin/python -m workflow_scripts.website.assemble_site"
        r" --page {input.page:q} --library {input.library:q} --samples {input.samples:q}"
        r" --models {input.models:q} --manifests {input.manifests:q} --locks {input.locks:q}"
        r" --bills {input.bills:q} {input.cards:q} --builder {params.builder:q} --address {params.address:q}"
        r" --output {output.folder:q} &> {log:q}"


rule serve:
    """Serve the site that is there on localhost until Ctrl-C, with the headers for wasm threads."""
    log:
        "results/_logs/serve/all.log",
    params:
        python=sys.executable,
        site=settings.built_site,
        port=config["port"],
        origins=config["cors_origins"],
    shell:
        r"{params.python:q} -m workflow_scripts.website.serve_site"
        r" --site {params.site:q} --port {params.port:q} --origins {params.origins:q} 2> {log:q}"


rule predict_browser:
    """Predict with the page itself, from a photo's file to d0. GPU backends are emulated in software."""
    input:
        site=settings.site_with,
    output:
        predictions="results/{model}/{resolution}/predictions/browser-{backend}.safetensors",
    log:
        "results/_logs/predict_browser/{model}-{resolution}-{backend}.log",
    benchmark:
        "results/_benchmarks/predict_browser/{model}-{resolution}-{backend}.tsv"
    threads: 4
    resources:
        mem_mb=4000,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.website.predict_browser"
        r" --site {input.site:q} --model {wildcards.model:q}"
        r" --resolution {wildcards.resolution:q} --backend {wildcards.backend:q} --output {output.predictions:q} &> {log:q}"


# Fail unless the page computes on every backend what PyTorch computes.
use rule check_parity as check_browser with:
    input:
        function=[],
        loading=[],
        reference="results/{model}/{resolution}/predictions/torch.safetensors",
        rounding="results/{model}/{resolution}/rounding.json",
        predictions=expand(
            "results/{{model}}/{{resolution}}/predictions/browser-{backend}.safetensors",
            backend=settings.browser_backends(),
        ),
    output:
        report="results/{model}/{resolution}/browser.json",
    log:
        "results/_logs/check_browser/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/check_browser/{model}-{resolution}.tsv"
