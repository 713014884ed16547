# Included last. Adds to the inputs of each rule what its command starts: its environment, its script and all modules
# that the script imports. Marks the folders that rules write: the old one stays until the new one is whole.

# If this workflow is a module of another one, only its own rules are meant.
for started in workflow.modifier.rules:
    words = [word for value in started.params if isinstance(value, (list, str)) for word in as_list(value)]
    # Node.js gets its script as an input, so that it is found from any folder.
    command = " ".join([started.shellcmd or "", *map(str, words), str(started.input.get("script", ""))])
    # The environments' rules name their code themselves: they read it from this machine, never from a bucket.
    if "code" not in started.input.keys():
        started.input_modifier = started.input_modifier or started.log_modifier
        started.set_input(**needed_by(ROOT, command))
    # If a bucket is the storage, the folder itself is in the bucket, and the local files are a copy.
    if workflow.storage_settings.default_storage_provider is None:
        mark_folders(started.output)

# A site keeps the bills of materials of models and of lock files in one folder.
refuse_taken(
    settings.checkpoints, [*BILLS, *taken_by(str(path) for rule in workflow.modifier.rules for path in rule.output)]
)
