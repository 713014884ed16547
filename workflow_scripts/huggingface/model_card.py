"""The model card: what the Hugging Face Hub shows of a model. Its lines of code are run by a test as they are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from workflow_scripts.formats.manifest import Manifest

# The licences that the Hub knows, by its names. It knows every other licence as `other`, with a name beside it.
LICENCES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "BSD-3-Clause": "bsd-3-clause", "unstated": "unknown"}
TAGS = {
    "saliency": ("image-segmentation", "background-removal"),
    "portrait": ("image-to-image", "portrait"),
    "drawing": ("image-to-image", "portrait"),
}
ABOUT = {
    "saliency": "Its output, d0, is a mask of what matters in a photo: it cuts the subject out.",
    "portrait": "It draws a pencil portrait of a photo. Its output, d0, is the ink: the drawing is 1 - d0, dark lines\n"
    "on white paper.",
    "drawing": "It draws a pencil portrait of a photo. Its output, d0, is the drawing itself, dark lines on white.",
}
# The ONNX files, by the hop that checked each.
ONNX_FILES = {"huggingface-float32": "onnx/model.onnx", "huggingface-uint16": "onnx/model_quantized.onnx"}

# Each snippet is one file, run in the folder that holds NAME/.
CUT_OUT_IN_JAVASCRIPT = """\
import { env, pipeline } from '@huggingface/transformers';

// A folder that holds NAME/. To load it from the Hub, leave out these three lines and write 'YOU/NAME'.
env.localModelPath = './';
env.allowLocalModels = true;
env.allowRemoteModels = false;
const remove = await pipeline('background-removal', 'NAME', { dtype: 'fp32' });
const cutOut = await remove('photo.jpg');
await cutOut.save('cut-out.png');
"""
PORTRAIT_IN_JAVASCRIPT = """\
import { AutoModel, AutoProcessor, env, interpolate_4d, RawImage } from '@huggingface/transformers';

// A folder that holds NAME/. To load it from the Hub, leave out these three lines and write 'YOU/NAME'.
env.localModelPath = './';
env.allowLocalModels = true;
env.allowRemoteModels = false;
const processor = await AutoProcessor.from_pretrained('NAME');
const model = await AutoModel.from_pretrained('NAME', { dtype: 'fp32' });
const photo = await RawImage.read('photo.jpg');
const { pixel_values } = await processor(photo);
const { d0 } = await model({ x: pixel_values });

// From the output to the drawing: at the photo's size, its darkest line black and its paper white.
const least = d0.data.reduce((a, b) => Math.min(a, b));
const most = d0.data.reduce((a, b) => Math.max(a, b));
const { data } = await interpolate_4d(d0, { size: [photo.height, photo.width], mode: 'bicubic' });
const grey = Uint8ClampedArray.from(data, (value) => (255 * (INK)) / (most - least));
await new RawImage(grey, photo.width, photo.height, 1).save('portrait.png');
"""
INK = {"portrait": "most - value", "drawing": "value - least"}
REMBG = """\
import os

# rembg loads models from this folder only. Set it before a session begins.
os.environ["U2NET_HOME"] = "."
from PIL import Image
from rembg import new_session, remove

session = new_session("u2net_custom", model_path="NAME/onnx/model.onnx")
remove(Image.open("photo.jpg"), session=session).save("cut-out.png")
"""
# rembg resizes every photo to this size, whatever the file says.
REMBG_RESOLUTION = 320


def front_matter(manifest: Manifest) -> str:
    """Return the lines in YAML from which the Hub takes licence, task and tags."""
    known = LICENCES.get(manifest.licence)
    # A string in JSON is one in YAML, whatever is in it.
    other = ["license: other", f"license_name: {json.dumps(manifest.licence)}", "license_link: LICENSE"]
    pipeline, tag = TAGS[manifest.task]
    return "\n".join(
        ["---", *([f"license: {known}"] if known else other), "library_name: transformers.js"]
        + [f"pipeline_tag: {pipeline}", "tags:"]
        + [f"- {name}" for name in ("onnx", "tflite", "litert", "u2net", tag)]
        + ["---"]
    )


def tflite_name(manifest: Manifest, dtype: str) -> str:
    """Return where a model's folder holds a .tflite file."""
    return f"tflite/{manifest.resolution}-{dtype}.tflite"


def figures(hops: Sequence[Mapping[str, Any]], manifests: Sequence[Manifest], sizes: Mapping[str, int]) -> str:
    """Return a table with one row per file: how far its drawings are from PyTorch's, on the worst probe input."""
    rows = [(ONNX_FILES[hop["hop"]], hop["worst"]) for hop in hops]
    rows += [
        (tflite_name(manifest, dtype), manifest.checks.parity[f"litert-{dtype}"])
        for manifest in manifests
        for engine, dtype in manifest.delivered
        if engine == "litert"
    ]
    lines = ["| file | bytes | max \\|Δ\\| of d0 | PSNR of the drawing | SSIM |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {sizes[name]:,} | {worst['max_abs']:.1e} | {worst['drawing_psnr_db']:.1f} dB"
        f" | {worst['drawing_ssim']:.4f} |"
        for name, worst in rows
    ]
    return "\n".join(lines)


def snippets(manifest: Manifest) -> dict[str, str]:
    """Return the card's snippets by their language. They draw photo.jpg."""
    if manifest.task != "saliency":
        filled = {"js": PORTRAIT_IN_JAVASCRIPT.replace("INK", INK[manifest.task])}
    elif manifest.resolution == REMBG_RESOLUTION:
        filled = {"js": CUT_OUT_IN_JAVASCRIPT, "python": REMBG}
    else:
        filled = {"js": CUT_OUT_IN_JAVASCRIPT}
    return {language: text.replace("NAME", manifest.model) for language, text in filled.items()}


def origin(manifest: Manifest) -> str:
    """Return what is known of where the weights come from."""
    lines = [
        f"A [U²-Net](https://arxiv.org/abs/2005.09007) of {manifest.parameters:,} parameters, converted from the "
        f"checkpoint with the SHA-256\n`{manifest.checkpoint.sha256}`."
    ]
    if manifest.provenance is not None:
        teacher, photos = manifest.provenance["teacher"], manifest.provenance["photos"]
        lines.append(
            f"It learned from {teacher['name']} (SHA-256 `{teacher['sha256']}`) to draw\nwhat that one draws, on "
            f"{photos['training']} photos."
        )
    return "\n".join([*lines, ABOUT[manifest.task]])


def model_card(
    manifest: Manifest,
    manifests: Sequence[Manifest],
    hops: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
    unstretched_db: float,
) -> str:
    """Return README.md.

    `manifest` is that of the ONNX files' resolution, `manifests` are those of the .tflite files. `hops` are those of
    check_huggingface's report. `sizes` holds each file's bytes. `unstretched_db` is the PSNR of a mask that is not
    stretched to [0, 1], on the worse of the two photos.
    """
    shown = snippets(manifest)
    size = manifest.resolution
    notice = f" {manifest.notice}" if manifest.notice else ""
    stretch = (
        "transformers.js does not stretch the mask until it fills 0 to 1, as the reference implementation does. On\n"
        f"the two photos above this alone leaves {unstretched_db:.1f} dB PSNR at worst.\n\n"
        if manifest.task == "saliency"
        else ""
    )
    rembg = (
        "With [rembg](https://github.com/danielgatis/rembg) in Python, which does stretch it:\n\n"
        f"```python\n{shown['python']}```\n\n"
        if "python" in shown
        else ""
    )
    return f"""{front_matter(manifest)}

# {manifest.model}

{origin(manifest)}

![Two photos, and what PyTorch draws of them](picture.png)

## Use it

With [transformers.js](https://huggingface.co/docs/transformers.js), in Node.js or in a page's module:

```js
{shown["js"]}```

`dtype: 'q8'`, which transformers.js takes by itself in browsers, loads `onnx/model_quantized.onnx`: the same network
with 16 bits per weight, half the bytes.

{stretch}{rembg}The ONNX files take RGB in [0, 1], normalised with ImageNet's mean and deviation, as float32 NCHW
[1, 3, {size}, {size}], and give d0 [1, 1, {size}, {size}] in [0, 1]. The network was trained on photos that were
divided by their own maximum. The files contain that division, and an input that was divided before gives the same
result. The .tflite files (NHWC) do not contain it: divide their input before.

## How close to PyTorch

Each file was compared with PyTorch on photos, noise, black and saturated colours. These are the worst figures:

{figures(hops, manifests, sizes)}

## Licence

{manifest.licence}.{notice}
"""
