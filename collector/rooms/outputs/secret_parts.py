"""Boards of secret votes as parts of a document: nothing while blind, nothing of fewer than five people."""

from collections.abc import Iterator

from collector.rooms.boards.dots import DotRow, dot_board
from collector.rooms.boards.energy import energy_board
from collector.rooms.boards.paired import PairedBoard, PairedChange, PairedRow, paired_board
from collector.rooms.boards.ranking import ranking_board
from collector.rooms.boards.signify import Signified, signify_board
from collector.rooms.boards.statements import SegmentTally, StatementRow, statement_board
from collector.rooms.boards.veil import Veil
from collector.rooms.formulas import Mean, Share
from collector.rooms.guide import Step, text_in
from collector.rooms.outputs.document import Bullets, Grid, Paragraph, Part
from collector.rooms.outputs.energy import energy_parts
from collector.rooms.outputs.heading import group_words, segment_words
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Room
from collector.rooms.sense.pieces import repeatable


def veil_words(veil: Veil, tongue: Tongue) -> str:
    """Return how many voted, and why a result is not shown if it is not."""
    if veil.state == "blind":
        return tongue("Votos hasta ahora: {n}. El resultado todavía no se revela.", n=veil.voters)
    if veil.state == "few":
        return tongue("Votaron menos de 5 personas. El resultado no se muestra, para cuidar el secreto.")
    return tongue("Votaron {n} personas.", n=veil.voters)


def share_words(share: Share, tongue: Tongue) -> str:
    """Return a share with its interval and n: "90 % (60 % a 98 %), n=10"."""
    return tongue(
        "{share} ({low} a {high}), n={n}",
        share=tongue.percent(share.share),
        low=tongue.percent(share.low),
        high=tongue.percent(share.high),
        n=share.n,
    )


def mean_words(mean: Mean | None, tongue: Tongue) -> str:
    """Return a mean with its interval and n: "2.0 (-0.5 a 4.5), n=3"."""
    if mean is None:
        return "–"
    if mean.low is None or mean.high is None:
        return f"{tongue.decimal(mean.mean, 1)}, n={mean.n}"
    low, high = tongue.decimal(mean.low, 1), tongue.decimal(mean.high, 1)
    return tongue("{mean} ({low} a {high}), n={n}", mean=tongue.decimal(mean.mean, 1), low=low, high=high, n=mean.n)


# --- one board after another


def statement_parts(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    """Give the statements of a step, with their votes where there are any."""
    board = statement_board(room, step.name)
    if not board.rows:
        if not room.of("note", step.name):
            yield Paragraph(tongue("Nadie escribió todavía."))
    elif step.type != "statements":
        yield Bullets(tuple(row.text for row in board.rows))
    else:
        yield Paragraph(veil_words(board.veil, tongue))
        head = (
            tongue("Frase"), tongue("Está de acuerdo"), tongue("No está de acuerdo"), tongue("Pasa"),
            tongue("Controversia"), tongue("Acuerdo por grupos"),
        )  # fmt: skip
        yield Grid("", head, tuple(_statement_row(room, row, tongue) for row in board.rows))
    if board.straight_lines:
        yield Paragraph(tongue("Marcaron siempre lo mismo: {n}. Sus votos se cuentan igual.", n=board.straight_lines))


def _statement_row(room: Room, row: StatementRow, tongue: Tongue) -> tuple[str, ...]:
    tally = row.tally
    if tally is None:
        return row.text, "–", "–", "–", "–", "–"
    return (
        row.text,
        share_words(tally.agree, tongue),
        str(tally.disagrees),
        str(tally.passes),
        tongue.decimal(tally.controversy),
        "\n".join(_consensus(room, each, tongue) for each in row.by_segment) or "–",
    )


def _consensus(room: Room, tally: SegmentTally, tongue: Tongue) -> str:
    return f"{segment_words(room, tally.segment, tongue)}: {tongue.decimal(tally.consensus)}"


def dot_parts(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    """Give the options of a step by points."""
    board = dot_board(room, step.name)
    yield Paragraph(veil_words(board.veil, tongue))
    if board.rows:
        head = (tongue("Lugar"), tongue("Opción"), tongue("Puntos"), tongue("Parte"), tongue("Por grupo"))
        yield Grid("", head, tuple(_dot_row(room, row, tongue) for row in board.rows))


def _dot_row(room: Room, row: DotRow, tongue: Tongue) -> tuple[str, ...]:
    groups = [
        f"{group_words(room, cut.segment, each.value, tongue)}: {share_words(each.share, tongue)}"
        for cut in row.by_segment
        for each in cut.groups
    ]
    tied = f" ({tongue('empate técnico')})" if row.is_tied else ""
    label = text_in(row.option.label, tongue.language)
    shares = share_words(row.share, tongue)
    return f"{row.place}{tied}", label, str(row.share.count), shares, "\n".join(groups) or "–"


def energy_step_parts(room: Room, step: Step, tongue: Tongue, previous: Room | None = None) -> Iterator[Part]:
    """Give the energy map of a step."""
    return energy_parts(room, energy_board(room, step.name, previous), tongue)


def ranking_parts(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    """Give the options of a step by their mean place."""
    board = ranking_board(room, step.name)
    yield Paragraph(veil_words(board.veil, tongue))
    if board.rows:
        head = (tongue("Opción"), tongue("Lugar promedio"), tongue("Primer lugar"))
        rows = tuple(
            (text_in(row.option.label, tongue.language), mean_words(row.place, tongue), share_words(row.first, tongue))
            for row in board.rows
        )
        yield Grid("", head, rows)


def signify_parts(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    """Give the means of a triad or dyad, a row a story."""
    board = signify_board(room, step.name)
    yield Paragraph(veil_words(board.veil, tongue))
    texts = {item.id: repeatable(room, item) or "–" for item in room.items if item.state == "shown"}
    if not board.rows:
        return
    poles = [text_in(pole.label, tongue.language) for pole in board.poles]
    named = poles if board.what == "triad" else [" – ".join(poles)]
    head = (tongue("Relato"), *named, tongue("No aplica"))
    yield Grid("", head, tuple(_signified_row(row, texts.get(row.ref, "–"), len(named), tongue) for row in board.rows))


def _signified_row(row: Signified, text: str, poles: int, tongue: Tongue) -> tuple[str, ...]:
    means = [mean_words(mean, tongue) for mean in row.means] or [tongue("menos de 5")] * poles
    return text, *means, str(row.not_applicable)


def paired_parts(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    """Give before and after of the pairs in this room; before_after.py joins rounds held in several rooms."""
    return paired_board_parts(room, paired_board([room], step.name), tongue)


def paired_board_parts(room: Room, board: PairedBoard, tongue: Tongue) -> Iterator[Part]:
    """Give a board of before and after; the words for its groups are those of `room`."""
    yield Paragraph(veil_words(board.veil, tongue))
    if board.rows:
        head = (
            tongue("Pregunta"), tongue("Antes (n)"), tongue("Después (n)"), tongue("Parejas"),
            tongue("Antes"), tongue("Después"), tongue("Cambio"), tongue("Subió / igual / bajó"),
        )  # fmt: skip
        yield Grid("", head, tuple(line for row in board.rows for line in _paired_rows(room, row, board, tongue)))
        yield Paragraph(tongue("El cambio cuenta solo a quienes contestaron las dos veces."))


def _paired_rows(room: Room, row: PairedRow, board: PairedBoard, tongue: Tongue) -> Iterator[tuple[str, ...]]:
    label = text_in(row.item.label, tongue.language)
    yield label, str(row.n_before), str(row.n_after), str(row.n_paired), *_paired_figures(row.change, tongue)
    for group in row.groups:
        name = group_words(room, board.segment, group.value, tongue)
        yield f"{label} · {name}", "–", "–", str(group.change.n_paired), *_paired_figures(group.change, tongue)


def _paired_figures(change: PairedChange | None, tongue: Tongue) -> tuple[str, ...]:
    if change is None:
        return "–", "–", tongue("menos de 5"), "–"
    moved = f"{change.rose} / {change.same} / {change.fell}"
    means = (tongue.decimal(change.mean_before, 1), tongue.decimal(change.mean_after, 1))
    return *means, mean_words(change.change, tongue), moved
