# Reads the lock files.
# Writes .venvs/{environment}/, and last its stamp installed.txt. The rules that run in it have the stamp as an input.


rule create_environment:
    """Build one locked virtual environment. Its stamp is written last."""
    input:
        lock=local(f"{OWN}envs/{{environment}}.txt"),
        code=local([f"{OWN}{file}" for file in code_of(ROOT, "workflow_scripts.driver.create_environment")]),
    output:
        stamp=local(".venvs/{environment}/installed.txt"),
    log:
        "results/_logs/create_environment/{environment}.log",
    benchmark:
        "results/_benchmarks/create_environment/{environment}.tsv"
    resources:
        mem_mb=1500,
    params:
        python=sys.executable,
    shell:
        r"{params.python:q} -m workflow_scripts.driver.create_environment --lock {input.lock:q} --stamp {output.stamp:q} &> {log:q}"


rule create_node_environment:
    """Install Node.js from PyPI and TensorFlow.js from npm, both locked."""
    input:
        lock=local(f"{OWN}envs/node/requirements.txt"),
        package_json=local(f"{OWN}envs/node/package.json"),
        package_lock=local(f"{OWN}envs/node/package-lock.json"),
        code=local([f"{OWN}{file}" for file in code_of(ROOT, "workflow_scripts.driver.create_environment")]),
    output:
        stamp=local(".venvs/node/installed.txt"),
    log:
        "results/_logs/create_node_environment/node.log",
    benchmark:
        "results/_benchmarks/create_node_environment/node.tsv"
    resources:
        mem_mb=1500,
    params:
        python=sys.executable,
    shell:
        r"{params.python:q} -m workflow_scripts.driver.create_environment --lock {input.lock:q} --package-json {input.package_json:q}"
        r" --stamp {output.stamp:q} &> {log:q}"


# Install Node.js from PyPI and transformers.js from npm, both locked. Only the tests use it.
use rule create_node_environment as create_transformersjs_environment with:
    input:
        lock=local(f"{OWN}envs/node/requirements.txt"),
        package_json=local(f"{OWN}envs/transformersjs/package.json"),
        package_lock=local(f"{OWN}envs/transformersjs/package-lock.json"),
        code=local([f"{OWN}{file}" for file in code_of(ROOT, "workflow_scripts.driver.create_environment")]),
    output:
        stamp=local(".venvs/transformersjs/installed.txt"),
    log:
        "results/_logs/create_transformersjs_environment/transformersjs.log",
    benchmark:
        "results/_benchmarks/create_transformersjs_environment/transformersjs.tsv"
