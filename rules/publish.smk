# Reads results/site/ and the manifests that vouch for it.
# Writes nothing here: a release in an S3 bucket. Only on request; no other rule asks for credentials.


rule publish:
    """Publish the site: visitors see the release before or this one, whole. Nothing is skipped for a receipt on disk."""
    input:
        site=settings.site_to_publish,
        manifests=expand(
            "results/{model}/{resolution}/manifest.json",
            model=settings.site_models(),
            resolution=config["resolutions"],
        ),
    log:
        "results/_logs/publish/all.log",
    resources:
        mem_mb=500,
    params:
        bucket=settings.bucket_arguments,
    shell:
        r".venvs/publish/bin/python -m workflow_scripts.publish.publish"
        r" --site {input.site:q} --manifests {input.manifests:q}"
        r" {params.bucket:q} 2> {log:q}"


rule prune:
    """Remove what no retained release refers to; without prune=true, only say what that would be."""
    log:
        "results/_logs/prune/all.log",
    resources:
        mem_mb=500,
    params:
        bucket=settings.bucket_arguments,
        keep=config["keep"],
        grace=config["grace_hours"],
        delete=["--delete"] if config["prune"] else [],
    shell:
        r".venvs/publish/bin/python -m workflow_scripts.publish.prune {params.bucket:q} --keep {params.keep:q}"
        r" --grace-hours {params.grace:q} {params.delete:q} 2> {log:q}"


rule verify_release:
    """Check every byte of a published site, as somebody would who trusts one digest."""
    log:
        "results/_logs/verify_release/all.log",
    resources:
        mem_mb=500,
    params:
        release=settings.release_arguments,
    shell:
        r".venvs/publish/bin/python -m workflow_scripts.publish.verify_release {params.release:q} 2> {log:q}"


rule set_cors:
    """Let the pages of cors_origins, and no others, read the bucket; for its owner, as the publisher may not."""
    log:
        "results/_logs/set_cors/all.log",
    resources:
        mem_mb=500,
    params:
        bucket=settings.bucket_arguments,
        origins=config["cors_origins"],
    shell:
        r".venvs/publish/bin/python -m workflow_scripts.publish.set_cors"
        r" {params.bucket:q} --origins {params.origins:q} 2> {log:q}"
