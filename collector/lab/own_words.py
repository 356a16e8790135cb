"""What the questions that publishing writes by itself are called: no author gave them a text. Pure."""

# whole name of the question -> Spanish, English
OWN_LABELS = {
    "consent/notice_version": ("Aviso de consentimiento: versión", "Consent notice: version"),
    "consent/notice_sha256": ("Aviso de consentimiento: huella de su texto", "Consent notice: fingerprint of its text"),
    "consent/at": ("Consentimiento: cuándo se dio", "Consent: when it was given"),
    "consent/accepted": ("Consentimiento: aceptó participar", "Consent: agreed to take part"),
    "consent/purposes": ("Consentimiento: para qué dio permiso", "Consent: what permission was given for"),
    "consent/guardian": ("Consentimiento: quién dio permiso por un menor", "Consent: who gave permission for a minor"),
    "consent/assent": ("Consentimiento: el menor aceptó", "Consent: the minor agreed"),
    "meta/instanceName": ("Nombre del registro", "Name of the record"),
}


def own_label(name: str, language: str) -> str:
    """Return what a question of ours is called, "" for one of an author. language: as the form names it, or a code."""
    spanish, english = OWN_LABELS.get(name, ("", ""))
    return english if language == "en" or language.endswith("(en)") else spanish
