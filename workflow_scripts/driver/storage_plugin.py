"""A patch of snakemake-storage-plugin-s3 0.3.6. Remove it when the plugin looks at a folder again after a job."""

from snakemake_storage_plugin_s3 import StorageObject


def mend_folders() -> None:
    """Make the plugin ask the bucket each time whether a key is a folder.

    The plugin keeps the answer from before the job ran. It then misses a TensorFlow.js model, which is a folder.
    """
    StorageObject.is_dir = lambda self: any(self.get_subkeys())
