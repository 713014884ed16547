# In: a lock file. Out: .venvs/{environment}/installed.txt, the stamp that the rules of that tool family ask for.


rule create_environment:
    """One locked virtual environment a tool family; its stamp is written last."""
    input:
        lock=local("envs/{environment}.txt"),
        script=local("workflow_scripts/create_environment.py"),
        modules=local(["workflow_scripts/commands.py"]),
    output:
        stamp=local(".venvs/{environment}/installed.txt"),
    log:
        "results/logs/create_environment/{environment}.log",
    benchmark:
        "results/benchmarks/create_environment/{environment}.tsv"
    resources:
        mem_mb=1500,
    params:
        python=sys.executable,
    shell:
        r"{params.python:q} {input.script:q} --lock {input.lock:q} --stamp {output.stamp:q} &> {log:q}"


rule create_node_environment:
    """Node.js from the package index, and TensorFlow.js from npm's registry, both locked."""
    input:
        lock=local("envs/node/requirements.txt"),
        package_json=local("envs/node/package.json"),
        package_lock=local("envs/node/package-lock.json"),
        script=local("workflow_scripts/create_environment.py"),
        modules=local(["workflow_scripts/commands.py"]),
    output:
        stamp=local(".venvs/node/installed.txt"),
    log:
        "results/logs/create_node_environment/node.log",
    benchmark:
        "results/benchmarks/create_node_environment/node.tsv"
    resources:
        mem_mb=1500,
    params:
        python=sys.executable,
    shell:
        r"{params.python:q} {input.script:q} --lock {input.lock:q} --package-json {input.package_json:q}"
        r" --stamp {output.stamp:q} &> {log:q}"
