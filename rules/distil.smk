# Reads a teacher's results/{teacher}/checkpoint/weights.safetensors and a folder of photos.
# Writes results/{model}/distil/: student.safetensors and student.json, report.json, report.md and sheet.png. Only on request.


rule train_student:
    """A small network that draws what its teacher draws. Once killed, it goes on from where its state was last kept."""
    input:
        teacher=settings.teacher_weights,
        checkpoint=settings.teacher_checkpoint,
        photos=lambda wildcards: local(settings.photos(wildcards)),
    output:
        weights=local("results/{model}/distil/student.safetensors"),
        record=local("results/{model}/distil/student.json"),
    log:
        "results/_logs/train_student/{model}.log",
    benchmark:
        "results/_benchmarks/train_student/{model}.tsv"
    # Training takes all cores, because no other job would make progress beside it.
    threads: workflow.cores
    resources:
        mem_mb=6000,
    params:
        arguments=settings.training_arguments,
        # The state is not an output, because Snakemake removes the outputs of a job that was killed.
        work="results/{model}/distil/training",
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.distil.train_student {params.arguments:q}"
        r" --teacher {input.teacher:q} --teacher-checkpoint {input.checkpoint:q} --photos {input.photos:q}"
        r" --work {params.work:q} --weights {output.weights:q} --record {output.record:q} 2>&1 | tee {log:q}"


rule report_student:
    """How well the student draws what its teacher draws, on photos that were held back, and what each of them costs."""
    input:
        weights=local("results/{model}/distil/student.safetensors"),
        record=local("results/{model}/distil/student.json"),
        teacher=settings.teacher_weights,
        photos=lambda wildcards: local(settings.photos(wildcards)),
    output:
        report="results/{model}/distil/report.json",
        table=report("results/{model}/distil/report.md", caption="report/student.rst", category="Students"),
        sheet=report("results/{model}/distil/sheet.png", caption="report/student.rst", category="Students"),
    log:
        "results/_logs/report_student/{model}.log",
    benchmark:
        "results/_benchmarks/report_student/{model}.tsv"
    resources:
        mem_mb=4000,
    params:
        distil=json.dumps(config["distil"], sort_keys=True),
        work="results/{model}/distil/training",
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.distil.report_student --model {wildcards.model:q}"
        r" --student {input.weights:q} --record {input.record:q} --teacher {input.teacher:q}"
        r" --photos {input.photos:q} --settings {params.distil:q} --work {params.work:q}"
        r" --report {output.report:q} --table {output.table:q} --sheet {output.sheet:q} 2>&1 | tee {log:q}"
