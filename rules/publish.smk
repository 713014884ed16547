# Reads results/site/ and the manifests of its models.
# Writes a release in an S3 bucket, and no file here. Only on request. No other rule needs credentials.


rule publish:
    """Publish the site. Visitors see the release before or this one, whole. Every run asks the bucket what it lacks."""
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
        mem_mb=2000,
    params:
        bucket=settings.bucket_arguments,
        key=settings.signing_arguments,
    shell:
        r".venvs/publish/bin/python -m workflow_scripts.publish.publish"
        r" --site {input.site:q} --manifests {input.manifests:q}"
        r" {params.bucket:q} {params.key:q} 2> {log:q}"


rule prune:
    """Delete the files that no kept release refers to. Without prune=true, only list them."""
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
    """Check every byte of a published site against one digest, and its signature against a public key."""
    log:
        "results/_logs/verify_release/all.log",
    resources:
        # Up to eight files are read at a time, and the full-size network's .tflite files have 176 MB each.
        mem_mb=2000,
    params:
        release=settings.release_arguments,
    shell:
        r".venvs/publish/bin/python -m workflow_scripts.publish.verify_release {params.release:q} 2> {log:q}"


rule set_cors:
    """Let the pages of cors_origins, and no others, read the bucket. Only the bucket's owner may do this."""
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
