# Reads a folder of photos, and a model's IR that its manifest vouches for.
# Writes results/{model}/drawings/, drawings.json and drawings.html. Only on request.


rule draw_photos:
    """Drawings or cut-outs at the photos' sizes, as the page saves them; only of what is new or changed."""
    input:
        manifest=settings.drawn_at("manifest.json"),
        model=settings.drawn_at("ir/model.xml"),
        weights=settings.drawn_at("ir/model.bin"),
        # The face detector is in one of the page's packages.
        packages=settings.packages_for_faces,
    output:
        index="results/{model}/drawings.json",
    log:
        "results/_logs/draw_photos/{model}.log",
    benchmark:
        "results/_benchmarks/draw_photos/{model}.tsv"
    threads: workflow.cores
    resources:
        mem_mb=lambda wildcards, threads: 1000 + 700 * threads,
    params:
        photos=settings.photos_to_draw,
        # The command does not use this. It makes the rule run when a photo was added, removed or changed.
        photos_seen=settings.photos_seen,
        faces=settings.face_arguments,
    shell:
        r".venvs/draw/bin/python -m workflow_scripts.draw.draw_photos"
        r" {params.photos:q} {params.faces:q} --manifest {input.manifest:q} --model {input.model:q} --threads {threads:q}"
        r" --output results/{wildcards.model:q}/drawings --index {output.index:q} &> {log:q}"


rule lay_contact_sheet:
    """Photos and drawings side by side, on one page."""
    input:
        index="results/{model}/drawings.json",
    output:
        page=report("results/{model}/drawings.html", caption="report/drawings.rst", category="Drawings"),
    log:
        "results/_logs/lay_contact_sheet/{model}.log",
    benchmark:
        "results/_benchmarks/lay_contact_sheet/{model}.tsv"
    threads: workflow.cores
    resources:
        mem_mb=lambda wildcards, threads: 500 + 300 * threads,
    shell:
        r".venvs/draw/bin/python -m workflow_scripts.draw.lay_contact_sheet"
        r" --index {input.index:q} --drawings results/{wildcards.model:q}/drawings --threads {threads:q}"
        r" --output {output.page:q} &> {log:q}"


rule draw:
    """Draw every photo of a folder; say how many there are, and fail where one could not be read."""
    input:
        indexes=expand("results/{model}/drawings.json", model=settings.models),
        sheets=expand("results/{model}/drawings.html", model=settings.models),
    log:
        "results/_logs/draw/all.log",
    resources:
        mem_mb=500,
    shell:
        r".venvs/draw/bin/python -m workflow_scripts.draw.draw --indexes {input.indexes:q} 2> {log:q}"
