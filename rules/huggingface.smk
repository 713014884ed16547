# Reads the ONNX file, the .tflite files and PyTorch's predictions that manifests vouch for.
# Writes results/{model}/{resolution}/huggingface/ and huggingface.json, and results/{model}/huggingface/. Only on request.


rule adapt_onnx:
    """Put the division by the photo's maximum into the ONNX file, and make the same at half the bytes."""
    input:
        model="results/{model}/{resolution}/onnx/model.onnx",
    output:
        whole="results/{model}/{resolution}/huggingface/float32.onnx",
        half="results/{model}/{resolution}/huggingface/uint16.onnx",
    log:
        "results/_logs/adapt_onnx/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/adapt_onnx/{model}-{resolution}.tsv"
    resources:
        mem_mb=2000,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.huggingface.adapt_onnx"
        r" --model {input.model:q} --whole {output.whole:q} --half {output.half:q} &> {log:q}"


# Predict with ONNX Runtime from the adapted files.
use rule predict_torch as predict_huggingface with:
    input:
        model="results/{model}/{resolution}/huggingface/{dtype}.onnx",
        probes="results/_probes/{resolution}.safetensors",
    output:
        predictions="results/{model}/{resolution}/predictions/huggingface-{dtype}.safetensors",
    log:
        "results/_logs/predict_huggingface/{model}-{resolution}-{dtype}.log",
    benchmark:
        "results/_benchmarks/predict_huggingface/{model}-{resolution}-{dtype}.tsv"
    resources:
        mem_mb=6500,
    params:
        predict=[".venvs/onnx/bin/python", "-m", "workflow_scripts.predict.predict_onnxruntime"],


# Fail unless the adapted files compute what PyTorch computes.
use rule check_parity as check_huggingface with:
    input:
        function=[],
        loading=[],
        reference="results/{model}/{resolution}/predictions/torch.safetensors",
        rounding="results/{model}/{resolution}/rounding.json",
        predictions=expand(
            "results/{{model}}/{{resolution}}/predictions/huggingface-{dtype}.safetensors", dtype=["float32", "uint16"]
        ),
    output:
        report="results/{model}/{resolution}/huggingface.json",
    log:
        "results/_logs/check_huggingface/{model}-{resolution}.log",
    benchmark:
        "results/_benchmarks/check_huggingface/{model}-{resolution}.tsv"


rule write_huggingface:
    """Lay a model out as the Hugging Face Hub and its tools read it: model card, settings, ONNX and .tflite files."""
    input:
        float32=settings.drawn_at("huggingface/float32.onnx"),
        uint16=settings.drawn_at("huggingface/uint16.onnx"),
        float32_predictions=settings.drawn_at("predictions/huggingface-float32.safetensors"),
        uint16_predictions=settings.drawn_at("predictions/huggingface-uint16.safetensors"),
        report=settings.drawn_at("huggingface.json"),
        reference=settings.drawn_at("predictions/torch.safetensors"),
        probes=lambda wildcards: f"results/_probes/{settings.best_resolution(wildcards)}.safetensors",
        manifest=settings.drawn_at("manifest.json"),
        manifests=expand("results/{{model}}/{resolution}/manifest.json", resolution=config["resolutions"]),
        tflite=expand(
            "results/{{model}}/{resolution}/tflite/{tflite_dtype}.tflite",
            resolution=config["resolutions"],
            tflite_dtype=config["tflite_dtypes"],
        ),
        licences=local(
            expand(f"{OWN}workflow_scripts/huggingface/licences/{{licence}}.txt", licence=["Apache-2.0", "MIT"])
        ),
    output:
        folder=directory("results/{model}/huggingface"),
    log:
        "results/_logs/write_huggingface/{model}.log",
    benchmark:
        "results/_benchmarks/write_huggingface/{model}.tsv"
    resources:
        mem_mb=1500,
    shell:
        r".venvs/torch/bin/python -m workflow_scripts.huggingface.write_huggingface"
        r" --float32 {input.float32:q} --uint16 {input.uint16:q}"
        r" --predictions {input.float32_predictions:q} {input.uint16_predictions:q} --report {input.report:q}"
        r" --probes {input.probes:q} --reference {input.reference:q} --manifest {input.manifest:q}"
        r" --manifests {input.manifests:q} --output {output.folder:q} &> {log:q}"
