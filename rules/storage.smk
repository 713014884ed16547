# Reads the checkout's own files.
# Writes them to the bucket that stands in for a common file system (docs/cluster.md).

if workflow.storage_settings.default_storage_provider == "s3":
    from workflow_scripts.driver.storage_plugin import mend_folders

    mend_folders()

    rule store_source:
        """A file of the checkout that rules depend on, in the bucket: script, lock file or stamp of an environment."""
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
