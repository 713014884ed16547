# Reads the checkout's own files.
# Writes them to the bucket that replaces a common file system (docs/cluster.md).

if workflow.storage_settings.default_storage_provider == "s3":
    from workflow_scripts.driver.storage_plugin import mend_folders

    mend_folders()

    rule store_source:
        """Copy a file that rules depend on into the bucket: a script, a lock file or the stamp of an environment."""
        input:
            local("{source}"),
        output:
            "{source}",
        wildcard_constraints:
            source=r"(workflow_scripts|envs|web|\.venvs)/.+|requirements\.txt",
        localrule: True
        resources:
            mem_mb=100,
        shell:
            "cp {input:q} {output:q}"
