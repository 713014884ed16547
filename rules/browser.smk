# In: the built site. Out: its predictions in the Chromium of this machine, a backend each, and their check. Opt-in.


wildcard_constraints:
    backend="(litert-)?(wasm|webgpu)|webgl",


rule predict_browser:
    """What the site itself computes, from a photo's file to d0; GPU backends are emulated in software."""
    input:
        site=site_with,
        script="workflow_scripts/predict_browser.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/images.py",
            "workflow_scripts/make_probe_inputs.py",
            "workflow_scripts/predictions.py",
            "workflow_scripts/serve_site.py",
        ],
        environment=".venvs/torch/installed.txt",
    output:
        predictions="results/{model}/{resolution}/predictions/browser-{backend}.safetensors",
    log:
        "results/logs/predict_browser/{model}-{resolution}-{backend}.log",
    benchmark:
        "results/benchmarks/predict_browser/{model}-{resolution}-{backend}.tsv"
    threads: 4
    resources:
        mem_mb=4000,
    shell:
        r".venvs/torch/bin/python {input.script:q} --site {input.site:q} --model {wildcards.model:q}"
        r" --resolution {wildcards.resolution:q} --backend {wildcards.backend:q} --output {output.predictions:q} &> {log:q}"


rule check_browser:
    """Fail unless the site computes on every backend what PyTorch computes, within the limits of config.yaml."""
    input:
        reference="results/{model}/{resolution}/predictions/torch.safetensors",
        predictions=expand(
            "results/{{model}}/{{resolution}}/predictions/browser-{backend}.safetensors",
            backend=browser_backends(),
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
        report="results/{model}/{resolution}/browser.json",
    log:
        "results/logs/check_browser/{model}-{resolution}.log",
    benchmark:
        "results/benchmarks/check_browser/{model}-{resolution}.tsv"
    resources:
        mem_mb=1500,
    params:
        tolerances=tolerances,
        task=lambda wildcards: CHECKPOINTS[wildcards.model]["task"],
    shell:
        r".venvs/torch/bin/python {input.script:q} --reference {input.reference:q}"
        r" --predictions {input.predictions:q} --tolerances {params.tolerances:q} --task {params.task:q}"
        r" --resolution {wildcards.resolution:q} --output {output.report:q} &> {log:q}"
