# Reads results/{model}/{resolution}/tfjs/float32/.
# Writes results/{model}/compact/ and results/{model}/{resolution}/tfjs/compact/, and levels.png on request.


rule plan_compact:
    """Round a model's weights to the fewest bytes found that hold the PSNR floor. One plan serves every resolution."""
    input:
        model=expand("results/{{model}}/{resolution}/tfjs/float32", resolution=min(config["resolutions"])),
    output:
        weights="results/{model}/compact/weights.safetensors",
        report="results/{model}/compact/report.json",
    log:
        "results/_logs/plan_compact/{model}.log",
    benchmark:
        "results/_benchmarks/plan_compact/{model}.tsv"
    threads: 2
    resources:
        mem_mb=7000,
    params:
        floor=settings.compact_floor,
        settings=json.dumps(config["compact"], sort_keys=True),
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.compact.plan_compact"
        r" --model {input.model:q} --floor {params.floor:q}"
        r" --settings {params.settings:q} --threads {threads:q} --weights {output.weights:q}"
        r" --report {output.report:q} &> {log:q}"


rule compact_tfjs:
    """Write the model of one resolution with the rounded weights of plan_compact."""
    input:
        model="results/{model}/{resolution}/tfjs/float32",
        plan="results/{model}/compact/report.json",
        weights="results/{model}/compact/weights.safetensors",
    output:
        folder=directory("results/{model}/{resolution}/tfjs/compact"),
    log:
        "results/_logs/compact_tfjs/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/compact_tfjs/{model}-{resolution}.tsv"
    resources:
        mem_mb=1000,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.compact.compact_tfjs"
        r" --model {input.model:q} --plan {input.plan:q}"
        r" --weights {input.weights:q} --output {output.folder:q} &> {log:q}"


rule plot_levels:
    """Plot a photo's drawing at several PSNRs, to judge a floor by eye."""
    input:
        model="results/{model}/{resolution}/tfjs/float32",
        probes="results/_probes/{resolution}.safetensors",
    output:
        plot="results/{model}/{resolution}/levels.png",
    log:
        "results/_logs/plot_levels/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/plot_levels/{model}-{resolution}.tsv"
    resources:
        mem_mb=3000,
    params:
        task=settings.task,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.compact.plot_levels"
        r" --model {input.model:q} --probes {input.probes:q} --probe astronaut"
        r" --task {params.task:q} --threads {threads:q} --output {output.plot:q} &> {log:q}"
