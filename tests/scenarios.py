"""Play form scenarios: `python -m tests.scenarios --engine python|js FILE.jsonl`, one JSON line a scenario.

A player carries out the steps on the product's engine and tells what is seen at each; here it is compared. The record
as XML is always made as a node makes it, from the answers that the engine gives.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import defusedxml.ElementTree as SafeXml

from collector.fill.page_json import fill_json
from collector.fill.words import Words
from collector.forms.filling_rows import FillingRow
from collector.forms.model import Form, language_code
from collector.forms.report import FormErrors
from collector.forms.state import Filling
from collector.forms.submission_xml import to_xml
from collector.forms.xform import read_xform
from tests.conformance import clock, lines_of
from tests.node_js import runner

RUNNER = Path(__file__).with_name("scenarios_runner.mjs")
STEP = re.compile(r"/([^/\[]+)(?:\[(\d+)\])?")
TOLERANCE = 1e-9
Step = dict[str, Any]


class CannotDo(Exception):
    """A step that cannot be carried out; says why."""


# --- where a ref points


def walk(form: Form, ref: str) -> list[tuple[str, int | None]]:
    """Return the repeats that a ref goes through with their positions (from 0; None: as a whole), and its end."""
    repeats = {repeat.path for repeat in form.repeats}
    found: list[tuple[str, int | None]] = []
    path = ""
    for name, position in STEP.findall(ref if ref != "/" else ""):
        path += "/" + name
        if path in repeats:
            found.append((path, int(position) - 1 if position else None))
        elif position and position != "1":
            raise CannotDo(f"{path} is not repeated")
    return [*found, (path, None)]


def known(form: Form, path: str) -> str:
    """Return the path, if the form has such a node."""
    if path and path != form.root and path not in form.tree:
        raise CannotDo(f"no node {path}")
    return path or form.root


def code_of(form: Form, language: str) -> str:
    """Return the code of a language that a form is opened in: one that it does not name is taken as a code itself."""
    if language and language not in form.languages:
        return language
    return language_code(language or (form.languages or ("es",))[0])


# --- the Python player


class Player:
    """Carries out steps with the engine of the node."""

    def __init__(self, form: Form, now: tuple[int, int], language: str) -> None:
        self.filling = Filling(form, now, code_of(form, language), language=language)

    def place(self, ref: str, *, whole: bool = False) -> tuple[str, FillingRow]:
        """Return path and row. whole: the last step names a repeat, in the row around it."""
        form = self.filling.form
        *through, (path, _) = walk(form, ref)
        row = self.filling.root
        for repeat, position in through:
            if whole and repeat == path:
                return path, row
            rows = row.rows[repeat]
            if position is None or position >= len(rows):
                raise CannotDo(f"no row {ref}")
            row = rows[position]
        return known(form, path), row

    def question(self, ref: str) -> tuple[str, FillingRow]:
        """Return path and row of a question."""
        path, row = self.place(ref)
        if path not in self.filling.program.questions:
            raise CannotDo(f"no question {ref}")
        return path, row

    def do(self, step: Step) -> Any:
        """Carry out one step; return what is seen."""
        ((key, given),) = step.items()
        action = getattr(self, key, None)
        if not re.fullmatch("set|add_repeat|remove_repeat|language|expect_[a-z_]+", key) or action is None:
            raise CannotDo(f"unknown step {key}")
        return action(given)

    def set(self, given: list[str]) -> None:
        path, row = self.question(given[0])
        self.filling.set(path, given[1], row)

    def add_repeat(self, ref: str) -> None:
        path, row = self.place(ref, whole=True)
        self.filling.add_row(path, row)

    def remove_repeat(self, ref: str) -> None:
        path, row = self.place(ref)
        if row.parent is None or path != row.path:
            raise CannotDo(f"no row {ref}")
        self.filling.remove_row(path, row.parent.rows[path].index(row), row.parent)

    def language(self, name: str) -> None:
        self.filling.speak(name)

    def expect_value(self, given: list[Any]) -> str:
        path, row = self.question(given[0])
        return row.raw[path] if row.relevant[path] and self.is_on(row) else ""

    def is_on(self, row: FillingRow | None) -> bool:
        return row is None or (row.is_on and self.is_on(row.parent))

    def expect_relevant(self, given: list[Any]) -> bool:
        path, row = self.place(given[0])
        return self.is_on(row) and (path in (row.path, self.filling.form.root) or self.takes_part(path, row))

    def takes_part(self, path: str, row: FillingRow) -> bool:
        steps = path.split("/")
        around = ("/".join(steps[:length]) for length in range(2, len(steps) + 1))
        return all(row.relevant.get(each, True) for each in around)

    def expect_required(self, given: list[Any]) -> bool:
        return self.filling.is_required(*self.question(given[0]))

    def expect_readonly(self, given: list[Any]) -> bool:
        return self.filling.is_readonly(*self.place(given[0]))

    def expect_valid(self, given: list[Any]) -> bool:
        path, row = self.place(given[0])
        if path in self.filling.program.questions:
            return not self.filling.trouble(path, row)
        return not self.filling.troubles_in(path, row)

    def expect_message(self, given: list[Any]) -> str | None:
        return self.filling.message(*self.question(given[0]))

    def expect_choices(self, given: list[Any]) -> list[list[str]]:
        path, row = self.question(given[0])
        names = list(self.filling.choices(path, row))
        labels = self.filling.choice_labels(path, row)
        return [names, [labels.get(name, name) for name in names]]

    def expect_label(self, given: list[Any]) -> str:
        path, row = self.place(given[0])
        program = self.filling.program
        node = program.questions.get(path) or program.groups.get(path) or program.repeats.get(path)
        if node is None:
            raise CannotDo(f"nothing is asked at {path}")
        return self.filling.said(node.label, row)

    def expect_count(self, given: list[Any]) -> int:
        path, row = self.place(given[0], whole=True)
        return len(row.rows[path])

    def expect_submission_xml(self, given: str) -> dict[str, Any]:
        return self.filling.answers()


def play_python(form: Form, scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is seen at each step, up to one that cannot be carried out."""
    try:
        player = Player(form, moment(scenario), scenario.get("lang", ""))
    except Exception as problem:  # as below
        return [{"error": repr(problem)}]
    seen: list[dict[str, Any]] = []
    for step in scenario["steps"]:
        try:
            seen.append({"got": player.do(step)})
        except Exception as problem:  # what cannot be done, and crashes too: the other scenarios go on
            return [*seen, {"error": str(problem)}]
    return seen


def moment(scenario: dict[str, Any]) -> tuple[int, int]:
    """Return the clock of the device."""
    return clock(scenario.get("now"), scenario.get("tz"))


# --- the JavaScript player


def play_js(tasks: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return id -> what is seen at each step, with the page's modules on the page's JSON.

    Node plays one after another; where it breaks down, the scenario that it was at has failed and the rest go on.
    """
    seen: dict[str, list[dict[str, Any]]] = {}
    left = tasks
    while left:
        told, words = runner(str(RUNNER)).ask([json.dumps(task) for task in left])
        answers = [json.loads(line) for line in told]
        seen |= {answer["id"]: answer["seen"] for answer in answers}
        left = left[len(answers) :]
        if left:
            seen[left[0]["id"]] = [{"error": words}]
            left = left[1:]
    return seen


def js_task(form: Form, scenario: dict[str, Any]) -> dict[str, Any]:
    """Write down one scenario for node: the JSON is what the page would load."""
    data = json.loads(fill_json(form, Words(form, (form.languages or ("",))[0], {}), whole=True))
    steps = [{"key": key, "given": given, "place": js_place(form, given)} for step in scenario["steps"]
             for key, given in step.items()]  # fmt: skip
    return {
        "id": scenario["id"],
        "data": data,
        "now": moment(scenario),
        "lang": scenario.get("lang") or (form.languages or ("",))[0],
        "steps": steps,
    }


def js_place(form: Form, given: Any) -> Any:
    """Return the way to a node by the numbers that the page's JSON gives them."""
    ref = given[0] if isinstance(given, list) and given else given
    if not isinstance(ref, str) or not ref.startswith("/"):
        return None
    number = {path: index for index, path in enumerate(form.nodes)}
    try:
        *through, (path, _) = walk(form, ref)
        known(form, path)
    except CannotDo as problem:
        return {"error": str(problem)}
    steps = path.split("/")
    around = ("/".join(steps[:length]) for length in range(len(steps), 1, -1))
    return {
        "through": [[number[repeat], position] for repeat, position in through],
        "node": number.get(path, -1),
        "around": next((number[each] for each in around if each in number), -1),
        "inside": [index for each, index in number.items() if each.startswith((path or form.root) + "/")],
    }


# --- comparing


def spaced(text: Any) -> Any:
    """Collapse white space, no-break spaces too."""
    return " ".join(text.split()) if isinstance(text, str) else text


def is_value(want: list[Any], got: Any) -> bool:
    """Tell whether two values are the same text, or near numbers."""
    if want[1] == got:
        return True
    try:
        return abs(float(want[1]) - float(got)) <= (want[2] if len(want) > 2 else TOLERANCE)
    except ValueError:
        return False


def is_choices(want: list[Any], got: Any) -> bool:
    """Tell whether the choices are offered in this order, with these labels."""
    return want[1] == got[0] and (len(want) < 3 or list(map(spaced, want[2])) == list(map(spaced, got[1])))


def xml_tree(element: Any) -> Any:
    """Reduce XML to what is compared: local names, order, texts, attributes."""
    name = element.tag.rpartition("}")[2]
    inner = [xml_tree(each) for each in element if isinstance(each.tag, str)]
    said = (element.text or "").strip() if not inner else ""
    text = "" if name == "instanceID" else said
    return [name, {key.rpartition("}")[2]: value for key, value in element.attrib.items()}, text, inner]


def is_xml(want: str, got: str) -> bool:
    """Tell whether two records are the same XML."""
    return bool(xml_tree(SafeXml.fromstring(want)) == xml_tree(SafeXml.fromstring(got)))


SAME: dict[str, Callable[[Any, Any], bool]] = {
    "expect_value": is_value,
    "expect_choices": is_choices,
    "expect_label": lambda want, got: spaced(want[1]) == spaced(got),
    "expect_message": lambda want, got: spaced(want[1]) == spaced(got),
    "expect_submission_xml": is_xml,
}


def verdict(form: Form, scenario: dict[str, Any], seen: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare what was seen with what must be seen."""
    for number, step in enumerate(scenario["steps"]):
        ((key, want),) = step.items()
        answer = seen[number] if number < len(seen) else {"error": "not carried out"}
        if "error" in answer:
            return {"id": scenario["id"], "ok": False, "step": number, "got": answer["error"]}
        got = answer["got"]
        if key == "expect_submission_xml":
            got = to_xml(form, record_of(scenario, got))
        same = SAME.get(key, lambda want, got: want[1] == got)
        if key.startswith("expect_") and not same(want, got):
            return {"id": scenario["id"], "ok": False, "step": number, "got": got}
    return {"id": scenario["id"], "ok": True}


def record_of(scenario: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """Return the record that a device would send."""
    return {"id": "scenario", "answers": answers, "now": moment(scenario), "lang": scenario.get("lang", "")}


def publication(scenario: dict[str, Any]) -> tuple[Form | None, dict[str, Any]]:
    """Return the published form, or None and the outcome that there is without one."""
    said = {key: value for step in scenario["steps"] for key, value in step.items()}.get("expect_publish_error")
    try:
        form = read_xform(scenario["xform"], media=scenario.get("media"))
    except FormErrors as errors:
        return None, {"id": scenario["id"], **({"ok": True} if said else {"refused": str(errors)})}
    if said is None:
        return form, {}
    return None, {"id": scenario["id"], "ok": not said, **({"step": 0, "got": "published"} if said else {})}


def crashed(scenario: dict[str, Any], problem: Exception) -> dict[str, Any]:
    """Return the outcome of a scenario that something of ours broke down at: it alone has failed."""
    return {"id": scenario["id"], "ok": False, "step": 0, "got": repr(problem)}


def played(scenarios: Iterable[dict[str, Any]], engine: str) -> Iterator[dict[str, Any]]:
    """Give the outcome of each scenario; a crash at one does not end the run."""
    waiting: list[tuple[Form, dict[str, Any], dict[str, Any]]] = []
    for scenario in scenarios:
        try:
            form, outcome = publication(scenario)
            if form is None:
                yield outcome
            else:
                waiting.append((form, scenario, js_task(form, scenario) if engine == "js" else {}))
        except Exception as problem:
            yield crashed(scenario, problem)
    seen = play_js([task for _, _, task in waiting]) if engine == "js" else {}
    for form, scenario, _ in waiting:
        try:
            yield verdict(form, scenario, seen[scenario["id"]] if engine == "js" else play_python(form, scenario))
        except Exception as problem:
            yield crashed(scenario, problem)


def main() -> None:
    """Read the file, play, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("python", "js"), required=True)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    lines = lines_of(options.file.read_text(encoding="utf-8"))
    for answer in played(map(json.loads, lines), options.engine):
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
