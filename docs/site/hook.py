"""What the site does beyond MkDocs, so that the pages stay as they are read in the repository.

- A link to a file outside of docs/ leads to a copy of it on the site: no page has a dead end.
- A folder in the navigation stands for all its pages.
- What belongs to a numbered point may be indented by three columns, as CommonMark counts; the site's parser wants four.
- Under its title each page says for whom its section is.
- Drawings are put into the page, so that they follow the switch between light and dark.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
ELSEWHERE = "repository"
"""The folder of the site that holds what is not in docs/."""
LINK = re.compile(r"(\]\()([^)#\s]+)(#[^)\s]*)?(\))")
FENCE = re.compile(r"^ *(```|~~~)")
DRAWING = re.compile(r'<p><img alt="([^"]*)" src="(?:\.\./)*(images/[a-z-]+\.svg)" ?/></p>')
TITLE = re.compile(r"^# .+\n", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of a folder in the place of its name."""
    config.nav = _filled(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what the pages link to outside of docs/, and what that links to."""
    ahead = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    seen = set(ahead)
    while ahead:
        origin = ahead.pop()
        for target in sorted(_outside(origin) - seen):
            seen.add(target)
            path, uri = ROOT / target, f"{ELSEWHERE}/{target}"
            level = InclusionLevel.NOT_IN_NAV
            files.append(File.generated(config, uri, content=path.read_text(encoding="utf-8"), inclusion=level))
            if target.endswith(".md"):
                ahead.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """The text as MkDocs wants it."""
    uri = page.file.src_uri
    text = LINK.sub(lambda link: _led(link, uri), _indented(markdown))
    section = page.ancestors[-1].title if page.ancestors else ""
    word = config.extra["readers"].get(section, "")
    return TITLE.sub(lambda title: f"{title[0]}\n{word}\n{{ .readers }}\n", text, count=1) if word else text


def on_page_content(html: str, **_: object) -> str:
    """Drawings as part of the page."""
    return DRAWING.sub(lambda image: _drawn(image[2], image[1]), html)


def _filled(entries: list[Any]) -> list[Any]:
    out: list[Any] = []
    for entry in entries:
        if isinstance(entry, str):
            out.append(entry)
            continue
        ((name, inside),) = entry.items()
        if isinstance(inside, str) and not inside.endswith("/"):
            out.append(entry)
            continue
        if isinstance(inside, str):
            folder = ROOT / "docs" / inside
            found = sorted((one.name != "README.md", one.name) for one in folder.glob("*.md"))
            inside = [f"{inside}{file}" for _, file in found]
        out.append({name: _filled(inside)})
    return out


def _outside(origin: str) -> set[str]:
    """The files outside of docs/ to which a file of the repository links, as paths from its top."""
    text = (ROOT / origin).read_text(encoding="utf-8")
    links = [link for _, link, _, _ in LINK.findall(text) if "://" not in link]
    targets = {posixpath.normpath(posixpath.join(posixpath.dirname(origin), link)) for link in links}
    return {one for one in targets if not one.startswith("docs/") and (ROOT / one).is_file()}


def _led(link: re.Match[str], uri: str) -> str:
    """A link of the repository as a link of the site."""
    if "://" in link[2]:
        return link[0]
    copied = uri.startswith(f"{ELSEWHERE}/")
    origin = uri.removeprefix(f"{ELSEWHERE}/") if copied else f"docs/{uri}"
    target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link[2]))
    if not copied and target.startswith("docs/"):
        return link[0]
    there = target.removeprefix("docs/") if target.startswith("docs/") else f"{ELSEWHERE}/{target}"
    return f"{link[1]}{posixpath.relpath(there, posixpath.dirname(uri) or '.')}{link[3] or ''}{link[4]}"


def _indented(markdown: str) -> str:
    """Three columns become four where they belong to a numbered point, its code included; a long point ends clearly."""
    out: list[str] = []
    inside = long = fenced = False
    for line in markdown.split("\n"):
        if not fenced and re.match(r"\d+\. ", line):
            if inside and long and out[-1]:
                out.append("")
            inside, long = True, False
        elif not fenced and line and not line.startswith("   "):
            inside = False
        long = long or not line
        if FENCE.match(line):
            fenced = not fenced
        out.append(f" {line}" if inside and line.startswith("   ") else line)
    return "\n".join(out)


def _drawn(path: str, words: str) -> str:
    text = (ROOT / "docs" / path).read_text(encoding="utf-8")
    return f'<figure class="drawing" role="img" aria-label="{words}">{text}</figure>'
