"""What of a form the lab looks at: filters out of the address, as the store asks for and as the page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request

from collector.db import reading
from collector.forms.model import language_code
from collector.lab.filters import HERE, REVIEWS, Filters, filters_from, segments
from collector.lab.results import Results, territory_columns
from collector.lab.scales import Scale, bands_of, scales_of
from collector.lab.tables import Column
from collector.lab.tiles import blocks_of
from collector.queries import lab as lab_queries
from collector.queries.lab import Only
from collector.routes.lab_opened import OpenForm, municipalities
from collector.territory import place_labels, provinces


@dataclass(frozen=True)
class Looked:
    """The filters of an address over one form. only: the same for the store; nodes: id -> name."""

    opened: OpenForm
    filters: Filters
    only: Only
    territory: list[Column]
    nodes: Mapping[str, str]

    def scope(self, results: Results) -> dict[str, Any]:
        """Return what templates/lab/form.html needs to draw the filters and the charts."""
        places = {share.name: share.count for share in results.places or ()}
        return {
            "filters": self.filters,
            "looked_for": self.in_words(),
            "reviews": REVIEWS,
            "languages": self.languages(),
            "nodes": self.nodes,
            "here": HERE,
            "segments": segments(self.opened.table.columns, self.territory),
            "provinces": provinces() if self.territory else (),
            "blocks": blocks_of(places) if places.keys() & municipalities() else [],
            "drawn_of": lambda questions: scales_of(questions, self.opened.language),
            "is_scale": lambda each: isinstance(each, Scale),
            "bands": bands_of,
            "text_address": f"/lab/forms/{quote(self.opened.form_id, safe='')}/textos/",
        }

    def languages(self) -> dict[str, str]:
        """Return code -> name of the languages that the form has or had."""
        names = [name for form in self.opened.forms for name in form.languages]
        return {language_code(name): name for name in names if name}

    def in_words(self) -> list[str]:
        """Return what is looked for as people read it. The words of a review are Spanish: the page has the others."""
        asked, language = self.filters, self.opened.language
        column = next((each for each in self.opened.table.columns if each.key == asked.question), None)
        segment = f"{column.label(language)} {column.choice_labels(language)[asked.value]}" if column else ""
        said = (
            place_labels().get(asked.place, asked.place),
            " – ".join((asked.since or "…", asked.until or "…")) if asked.since or asked.until else "",
            segment,
            "" if asked.node == HERE else self.nodes.get(asked.node, asked.node[:8]),
            asked.version,
            self.languages().get(asked.language, asked.language),
        )
        return [each for each in said if each]


def looked_at(request: Request, opened: OpenForm) -> Looked:
    """Read the filters of this request."""
    territory = territory_columns(opened.table.columns, municipalities())
    filters = filters_from(request.query_params, segments(opened.table.columns, territory))
    with reading(request.app.state.engine) as session:
        names = lab_queries.node_names(session)
    only = Only(
        place=filters.place,
        place_keys=tuple(column.key for column in territory),
        since=filters.since,
        until=filters.until,
        answer=(filters.question, filters.value) if filters.question else None,
        node="" if filters.node == HERE else filters.node or None,
        version=filters.version,
        language=filters.language,
        review="" if filters.review == "received" else filters.review or None,
    )
    return Looked(opened, filters, only, territory, names)
