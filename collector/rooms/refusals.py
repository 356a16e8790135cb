"""Why a contribution or a guide cannot be used: one row each, with the value and what to do, in Spanish and English.

Placeholders are filled from the keyword values of `Refusal`. A route answers with `sentence(language)`; the code is
stable and goes into quarantine and logs.
"""

SENTENCES: dict[str, tuple[str, str]] = {
    # --- the envelope
    "missing": ("A «{what}» le falta «{key}». Complételo y guarde otra vez.",
                "\"{what}\" lacks \"{key}\". Fill it in and save again."),
    "not_a_text": ("«{key}» debe ser un texto, y llegó {value}.", "\"{key}\" must be a text, and {value} came."),
    "too_long": ("«{key}» tiene {length} letras y caben {most}. Acórtelo.",
                 "\"{key}\" has {length} characters and {most} fit. Shorten it."),
    "not_a_name": ("«{key}» dice {value}. Use letras, números, guiones o puntos, sin espacios, hasta {most}.",
                   "\"{key}\" says {value}. Use letters, digits, hyphens or dots, without blanks, up to {most}."),
    "not_an_id": ("«{key}» dice {value} y debe ser un identificador UUID en minúsculas.",
                  "\"{key}\" says {value} and must be a UUID in lower case."),
    "not_a_time": ("«{key}» dice {value}. Escriba fecha y hora con su zona: 2026-11-22T10:05:00-05:00.",
                   "\"{key}\" says {value}. Write date and time with their zone: 2026-11-22T10:05:00-05:00."),
    "not_a_date": ("«{key}» dice {value}. Escriba la fecha así: 2026-11-22.",
                   "\"{key}\" says {value}. Write the date like this: 2026-11-22."),
    "not_a_district": ("«{key}» dice {value}. Elija el distrito de la lista: su código tiene dos o cuatro cifras.",
                       "\"{key}\" says {value}. Choose the district from the list: its code has two or four digits."),
    "not_whole": ("«{key}» dice {value}. Escriba un número entero de {least} a {most}.",
                  "\"{key}\" says {value}. Write a whole number from {least} to {most}."),
    "not_a_flag": ("«{key}» dice {value}. Debe ser sí o no.", "\"{key}\" says {value}. It must be yes or no."),
    "not_one_of": ("«{key}» dice {value}. Use uno de estos: {known}.",
                   "\"{key}\" says {value}. Use one of these: {known}."),
    "not_a_list": ("«{key}» debe ser una lista, y llegó {value}.", "\"{key}\" must be a list, and {value} came."),
    "not_an_object": ("«{key}» debe ser un objeto, y llegó {value}.", "\"{key}\" must be an object, and {value} came."),
    "too_many": ("«{key}» tiene {count} elementos y caben {most}. Quite algunos.",
                 "\"{key}\" has {count} items and {most} fit. Take some away."),
    "twice": ("En «{key}» aparece {value} dos veces. Déjelo una sola vez.",
              "In \"{key}\", {value} stands twice. Leave it once."),
    # --- secret votes
    "seat_with_vote": ("Un voto no puede decir el puesto {value}: los votos son secretos. Envíelo sin «seat».",
                       "A vote cannot name the seat {value}: votes are secret. Send it without \"seat\"."),
    "ballot_elsewhere": ("Solo un voto lleva «ballot», y «{what}» no es un voto. Envíelo sin «ballot».",
                         "Only a vote carries a \"ballot\", and \"{what}\" is none. Send it without \"ballot\"."),
    "writer_with_vote": ("En un voto «by» debe ser la misma «ballot», para que nada lo una con un puesto.",
                         "In a vote \"by\" must be the \"ballot\" itself, so that nothing ties it to a seat."),
    "moment_with_vote": ("«{key}» dice el momento exacto del voto. Córtelo al minuto, también dentro del id.",
                         "\"{key}\" tells the exact moment of the vote. Cut it to the minute, inside the id too."),
    "about_itself": ("Nada habla de sí mismo: «ref» es su propio id.",
                     "Nothing speaks of itself: \"ref\" is its own id."),
    # --- payloads
    "not_a_hundred": ("Las tres partes suman {value} y deben sumar 100.",
                      "The three parts add up to {value} and must add up to 100."),
    "paper_only": ("Los conteos («{key}») solo valen para votos en papel: «mode» debe decir paper.",
                   "Counts (\"{key}\") are for votes on paper alone: \"mode\" must say paper."),
    "over_budget": ("Se repartieron {value} puntos y hay {most}. Quite {over}.",
                    "{value} points were given and there are {most}. Take {over} away."),
    "unknown_option": ("{value} no es una opción del paso «{step}». Use: {known}.",
                       "{value} is no option of the step \"{step}\". Use: {known}."),
    "unknown_criterion": ("{value} no es un criterio del paso «{step}». Use: {known}.",
                          "{value} is no criterion of the step \"{step}\". Use: {known}."),
    "criterion_missing": ("Falta calificar {value} en el paso «{step}».",
                          "The score for {value} is missing in the step \"{step}\"."),
    "off_the_scale": ("{key} tiene {value}; la escala del paso «{step}» va de {least} a {most}.",
                      "{key} has {value}; the scale of the step \"{step}\" goes from {least} to {most}."),
    "unknown_step": ("La guía no tiene el paso {value}. Tiene: {known}.",
                     "The guide has no step {value}. It has: {known}."),
    "wrong_step": ("El paso «{step}» es de tipo {type} y no recibe «{what}».",
                   "The step \"{step}\" is of type {type} and takes no \"{what}\"."),
    "step_closed": ("El paso «{step}» está cerrado. Pida que lo abran de nuevo.",
                    "The step \"{step}\" is locked. Ask for it to be opened again."),
    "room_closed": ("La sesión ya se cerró. Pida que la abran de nuevo.",
                    "The session is closed. Ask for it to be opened again."),
    "photo_missing": ("No llegó ninguna foto. Elija una, o tómela con la tableta.",
                      "No photo came. Choose one, or take it with the tablet."),
    "photo_not_a_picture": ("El archivo es de tipo {value} y aquí van fotos: JPEG, PNG, WebP o GIF.",
                            "The file is of type {value} and this is for photos: JPEG, PNG, WebP or GIF."),
    "photo_not_allowed": ("El grupo no ha permitido fotos. Pregúnteles y anótelo en «Permiso del grupo».",
                          "The group has not allowed photos. Ask them and note it under \"Permission of the group\"."),
    "other_room": ("Esta contribución es de otra sesión: {value}.",
                   "This contribution is of another session: {value}."),
    # --- link codes
    "code_mistyped": ("El código {value} no es correcto. Revise cada letra con la tarjeta.",
                      "The code {value} is not right. Compare each letter with the card."),
    # --- guides
    "guide_empty": ("La guía no tiene pasos. Escriba al menos uno en la hoja survey.",
                    "The guide has no steps. Write at least one in the sheet survey."),
    "guide_name_missing": ("Fila {row}: el paso no tiene nombre. Escriba uno en la columna name.",
                           "Row {row}: the step has no name. Write one in the column name."),
    "guide_name_bad": ("Fila {row}: el nombre {value} no sirve. Use letras, números, guiones o puntos, sin espacios.",
                       "Row {row}: the name {value} will not do. Use letters, digits, hyphens or dots, no blanks."),
    "guide_name_twice": ("Fila {row}: el nombre {value} ya está en otra fila. Use otro.",
                         "Row {row}: the name {value} is in another row. Use another one."),
    "guide_type_unknown": ("Fila {row}: no hay pasos de tipo {value}. Use: {known}.",
                           "Row {row}: there are no steps of type {value}. Use: {known}."),
    "guide_label_missing": ("Fila {row}: falta el texto de {value}. Escríbalo en label::Español (es).",
                            "Row {row}: the text of {value} is missing. Write it in label::Español (es)."),
    "guide_text_long": ("Fila {row}: el texto {value} tiene {length} letras y caben {most}. Acórtelo.",
                        "Row {row}: the text {value} has {length} characters and {most} fit. Shorten it."),
    "guide_list_missing": ("Fila {row}: el tipo {value} necesita una lista. Escriba {value} y el nombre de la lista.",
                           "Row {row}: the type {value} needs a list. Write {value} and the name of the list."),
    "guide_list_unknown": ("Fila {row}: la lista {value} no está en la hoja choices.",
                           "Row {row}: the list {value} is not in the sheet choices."),
    "guide_list_size": ("Fila {row}: la lista {value} tiene {count} opciones y debe tener {wanted}.",
                        "Row {row}: the list {value} has {count} choices and must have {wanted}."),
    "guide_weights": ("Fila {row}: los pesos de {value} suman {total} y deben sumar 100.",
                      "Row {row}: the weights of {value} add up to {total} and must add up to 100."),
    "guide_weight_bad": ("Fila {row}: el peso {value} debe ser un número entero de 1 a 100.",
                         "Row {row}: the weight {value} must be a whole number from 1 to 100."),
    "guide_parameter": ("Fila {row}: el parámetro {value} no sirve. Use: {known}.",
                        "Row {row}: the parameter {value} will not do. Use: {known}."),
}  # fmt: skip

ENGLISH_QUOTES = str.maketrans("«»", '""')


class Refusal(ValueError):
    """A contribution or guide that cannot be used. code: a key of SENTENCES; values: what its sentence names."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(self.sentence("en"))

    def sentence(self, language: str) -> str:
        """Return the sentence for people in `language` ("en", anything else is Spanish)."""
        spanish, english = SENTENCES[self.code]
        if language != "en":
            return spanish.format(**self.values)
        return english.format(**self.values).translate(ENGLISH_QUOTES)


def shown(value: object) -> str:
    """Return a value as a sentence quotes it: short, on one line."""
    text = " ".join(value.split()) if isinstance(value, str) else repr(value)
    return f"«{text[:60]}…»" if len(text) > 60 else f"«{text}»"
