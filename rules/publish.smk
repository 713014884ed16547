# In: the site and the manifests that vouch for it. Out: a release in an S3 bucket. Opt-in; nothing else asks for credentials.


rule publish:
    """Publish the site: visitors see the release before or this one, whole. Nothing is skipped for a receipt on disk."""
    input:
        site=site_to_publish,
        manifests=expand(
            "results/{model}/{resolution}/manifest.json", model=site_models(), resolution=config["resolutions"]
        ),
        script="workflow_scripts/publish.py",
        modules=[
            "workflow_scripts/buckets.py",
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/releases.py",
        ],
        environment=".venvs/publish/installed.txt",
    log:
        "results/logs/publish/all.log",
    resources:
        mem_mb=500,
    params:
        bucket=bucket_arguments,
    shell:
        r".venvs/publish/bin/python {input.script:q} --site {input.site:q} --manifests {input.manifests:q}"
        r" {params.bucket:q} 2> {log:q}"


rule prune:
    """Remove what no retained release refers to; without prune=true, only say what that would be."""
    input:
        script="workflow_scripts/prune.py",
        modules=[
            "workflow_scripts/buckets.py",
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/releases.py",
        ],
        environment=".venvs/publish/installed.txt",
    log:
        "results/logs/prune/all.log",
    resources:
        mem_mb=500,
    params:
        bucket=bucket_arguments,
        keep=config["keep"],
        grace=config["grace_hours"],
        delete=["--delete"] if config["prune"] else [],
    shell:
        r".venvs/publish/bin/python {input.script:q} {params.bucket:q} --keep {params.keep:q}"
        r" --grace-hours {params.grace:q} {params.delete:q} 2> {log:q}"


rule verify_release:
    """Check every byte of a published site, as somebody would who trusts one digest."""
    input:
        script="workflow_scripts/verify_release.py",
        modules=[
            "workflow_scripts/commands.py",
            "workflow_scripts/files.py",
            "workflow_scripts/releases.py",
        ],
        environment=".venvs/publish/installed.txt",
    log:
        "results/logs/verify_release/all.log",
    resources:
        mem_mb=500,
    params:
        release=release_arguments,
    shell:
        r".venvs/publish/bin/python {input.script:q} {params.release:q} 2> {log:q}"


rule set_cors:
    """Let the pages of cors_origins, and no others, read the bucket; for its owner, as the publisher may not."""
    input:
        script="workflow_scripts/set_cors.py",
        modules=["workflow_scripts/buckets.py", "workflow_scripts/commands.py"],
        environment=".venvs/publish/installed.txt",
    log:
        "results/logs/set_cors/all.log",
    resources:
        mem_mb=500,
    params:
        bucket=bucket_arguments,
        origins=config["cors_origins"],
    shell:
        r".venvs/publish/bin/python {input.script:q} {params.bucket:q} --origins {params.origins:q} 2> {log:q}"
