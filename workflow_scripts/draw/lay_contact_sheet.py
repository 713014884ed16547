"""Show photos and their drawings side by side on one HTML page that needs no other file."""

import argparse
import base64
import io
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from workflow_scripts.draw.photos import FORMATS
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

# The longest side of a thumbnail, in pixels.
SIDE = 240
# Browsers are slow to open a page with more pairs than this. The drawings themselves are in their folder.
MOST = 300
STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #22262b; background: #fff; }
main { display: flex; flex-wrap: wrap; gap: 1.25rem; }
figure { margin: 0; width: min-content; }
figure div { display: flex; gap: 4px; }
img { display: block; background: repeating-conic-gradient(#ddd 0 25%, #fff 0 50%) 0 0 / 16px 16px; }
figcaption { margin-top: .3rem; overflow-wrap: anywhere; }
"""


def thumbnail(path: Path) -> str:
    """Return a small copy of a picture, upright and with its transparency, as an img element."""
    with Image.open(path, formats=FORMATS) as image:
        # A JPEG can be decoded at an eighth, a quarter or half of its size in a fraction of the time.
        image.draft(None, (SIDE, SIDE))
        small = ImageOps.exif_transpose(image)
        small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "WEBP", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img width="{small.width}" height="{small.height}" alt="" src="data:image/webp;base64,{data}">'


def figure(outcome: dict[str, Any], photos: Path, drawings: Path) -> str:
    """Return one photo beside its drawing."""
    pictures = thumbnail(photos / outcome["photo"]) + thumbnail(drawings / outcome["drawing"])
    return f"<figure><div>{pictures}</div><figcaption>{escape(outcome['photo'])}</figcaption></figure>"


def page(index: dict[str, Any], figures: Sequence[str], drawn: int) -> str:
    """Return the whole page."""
    title = f"{index['model']} at {index['resolution']} × {index['resolution']}"
    shown = f"{drawn} photos drawn" + (f", the first {len(figures)} of them shown" if len(figures) < drawn else "")
    unread = [outcome for outcome in index["outcomes"] if outcome["problem"]]
    items = "".join(f"<li>{escape(each['photo'])} {escape(each['problem'])}</li>" for each in unread)
    problems = f"<h2>Not drawn</h2><ul>{items}</ul>" if unread else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{shown}.</p>{problems}<main>{''.join(figures)}</main></html>\n"
    )


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="JSON of draw_photos")
    parser.add_argument("--drawings", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="HTML to write")
    arguments = parser.parse_args(argv)
    index = json.loads(arguments.index.read_text())
    drawn = [outcome for outcome in index["outcomes"] if outcome["drawing"]]
    photos = Path(index["photos"])
    with ThreadPoolExecutor(arguments.threads) as pool:
        figures = list(pool.map(lambda outcome: figure(outcome, photos, arguments.drawings), drawn[:MOST]))
    with replacing(arguments.output) as staging:
        staging.write_text(page(index, figures, len(drawn)))


if __name__ == "__main__":
    run(main)
