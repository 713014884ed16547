# In: the checkout's own files. Out: the same in the bucket that stands in for a common file system (docs/cluster.md).

if workflow.storage_settings.default_storage_provider == "s3":
    from snakemake_storage_plugin_s3 import StorageObject

    # The plugin (0.3.6) remembers that a key is no folder from before a job filled it, and misses a TensorFlow.js model.
    StorageObject.is_dir = lambda self: any(self.get_subkeys())

    rule store_source:
        """What rules take from the checkout, in the bucket: scripts, lock files, the environments' stamps."""
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
