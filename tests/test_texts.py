"""Everything people read stands in Spanish first and in English too; nothing breaks the strict CSP."""

import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from collector.pages import load_english

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SENTENCE = re.compile(r"""\b(?:_|words|words\.ui|words\.plain|ui)\(\s*"((?:[^"\\]|\\.)*)\"""")


def sentences_in_code() -> set[str]:
    """Return the sentences of fill/words.py's tables, which reach people through `words.ui`."""
    tree = ast.parse((ROOT / "collector" / "fill" / "words.py").read_text(encoding="utf-8"))
    tables = [n for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id in ("UI", "RICH_UI", "TYPE_HELP")]  # type: ignore[attr-defined]
    return {v for table in tables for v in ast.literal_eval(table.value).values()}


def test_every_sentence_of_the_pages_has_its_english() -> None:
    said = {sentence for path in TEMPLATES for sentence in SENTENCE.findall(path.read_text(encoding="utf-8"))}
    missing = (said | sentences_in_code()) - set(load_english())
    assert not missing


def test_no_english_sentence_stands_for_a_spanish_one_that_is_gone() -> None:
    files = [*TEMPLATES, *(ROOT / "collector").rglob("*.py")]
    everything = "\n".join(path.read_text(encoding="utf-8") for path in files).replace('\\"', '"')
    assert not [sentence for sentence in load_english() if sentence not in everything]


def test_no_sentence_stands_in_two_files() -> None:
    english = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "collector/locale/en").glob("*.json")]
    counted = Counter(sentence for one in english for sentence in one)
    assert not [sentence for sentence, count in counted.items() if count > 1]


def test_placeholders_are_the_same_in_both_languages() -> None:
    holes = re.compile(r"\{\w*\}")
    wrong = [es for es, en in load_english().items() if sorted(holes.findall(es)) != sorted(holes.findall(en))]
    assert not wrong


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_no_template_holds_inline_style_script_or_handler(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text
