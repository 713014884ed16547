# Reads results/{model}/{resolution}/tflite/float32.tflite.
# Writes results/{model}/int8/plan.json and results/{model}/{resolution}/tflite/int8.tflite.


rule make_checking_inputs:
    """Write the photos that int8 models are judged on. None is a probe of the parity check."""
    output:
        inputs="results/_checking/{resolution}.safetensors",
    log:
        "results/_logs/make_checking_inputs/{resolution}.log",
    benchmark:
        "results/_benchmarks/make_checking_inputs/{resolution}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.int8.make_checking_inputs"
        r" --resolution {wildcards.resolution:q} --output {output.inputs:q} &> {log:q}"


rule plan_int8:
    """Choose the convolutions that compute in int8 and hold the PSNR floor. One plan serves every resolution."""
    input:
        model=expand("results/{{model}}/{resolution}/tflite/float32.tflite", resolution=settings.int8_resolution),
        inputs=expand("results/_checking/{resolution}.safetensors", resolution=settings.int8_resolution),
    output:
        plan="results/{model}/int8/plan.json",
    log:
        "results/_logs/plan_int8/{model}.log",
    benchmark:
        "results/_benchmarks/plan_int8/{model}.tsv"
    threads: 2
    resources:
        mem_mb=4000,
    params:
        goal=settings.int8_goal,
    shell:
        r".venvs/litert/bin/python -m workflow_scripts.int8.plan_int8"
        r" --model {input.model:q} --inputs {input.inputs:q} --goal {params.goal:q} --threads {threads:q}"
        r" --output {output.plan:q} &> {log:q}"


rule quantize_tflite:
    """Write the .tflite file of one resolution with the convolutions of plan_int8 in int8."""
    input:
        model="results/{model}/{resolution}/tflite/float32.tflite",
        plan="results/{model}/int8/plan.json",
    output:
        model="results/{model}/{resolution}/tflite/int8.tflite",
    log:
        "results/_logs/quantize_tflite/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/quantize_tflite/{model}-{resolution}.tsv"
    resources:
        mem_mb=2500,
    shell:
        r".venvs/litert/bin/python -m workflow_scripts.int8.quantize_tflite"
        r" --model {input.model:q} --plan {input.plan:q} --output {output.model:q} &> {log:q}"
