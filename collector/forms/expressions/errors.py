"""The one error of the expression engine: what is wrong, where, and what to write instead."""


class ExpressionError(ValueError):
    """Say that an expression is refused, in Spanish for people and in English for logs.

    position: 0-based place in the expression's text. path: the absolute path that no question has, if that is why.
    """

    def __init__(self, en: str, es: str, position: int, *, hint: str = "", hint_es: str = "", path: str = "") -> None:
        """Keep both sentences; `str(error)` is the English one."""
        super().__init__(en)
        self.en = en
        self.es = es
        self.position = position
        self.hint = hint
        self.hint_es = hint_es or hint
        self.path = path
        self.text = ""

    def caret(self) -> str:
        """Return two lines: the expression (on one line) and a ^ under the place of the error."""
        flat = "".join(" " if character.isspace() else character for character in self.text)
        return f"{flat}\n{' ' * self.position}^"
