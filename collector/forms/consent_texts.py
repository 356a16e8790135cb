"""What the consent page says by itself, in Spanish and English; an author gives other languages in the settings.

Names are those of the settings where there is one for the text ("consent_accept").
"""

TEXTS = {
    "consent_title": {"es": "Antes de empezar", "en": "Before you start"},
    "consent_accept": {"es": "¿Acepta responder?", "en": "Do you agree to answer?"},
    "accept_hint": {
        "es": "Si no quiere participar, toque «No, gracias».",
        "en": "If you do not want to take part, tap «No, thank you».",
    },
    "accept_required": {
        "es": "Para empezar, marque que acepta; si no quiere participar, toque «No, gracias».",
        "en": "To start, tick that you agree; if you do not want to take part, tap «No, thank you».",
    },
    "consent_purposes": {"es": "¿Qué más permite?", "en": "What else do you allow?"},
    "purposes_hint": {
        "es": "Marque solo lo que quiera. Puede no marcar nada y responder igual.",
        "en": "Tick only what you want. You may tick nothing and answer all the same.",
    },
    "consent_age": {"es": "¿Qué edad tiene usted?", "en": "How old are you?"},
    "age_hint": {
        "es": "Elija un grupo. No pedimos el día en que nació.",
        "en": "Choose a group. We do not ask for the day you were born.",
    },
    "age_required": {
        "es": "Falta una respuesta. Elija un grupo de edad.",
        "en": "An answer is missing. Choose an age group.",
    },
    "consent_guardian": {
        "es": "¿Qué permiso dio su madre, su padre o quien le cuida?",
        "en": "What permission did your mother, father or carer give?",
    },
    "guardian_hint": {
        "es": "Escriba el número de la hoja de permiso. No escriba nombres.",
        "en": "Write the number of the permission sheet. Do not write names.",
    },
    "guardian_required": {
        "es": "Falta el permiso. Escriba el número de la hoja; si no la tiene, pídala a quien facilita.",
        "en": "The permission is missing. Write the number of the sheet; if you have none, ask the facilitator.",
    },
    "consent_assent": {"es": "¿Usted también quiere participar?", "en": "Do you want to take part too?"},
    "assent_required": {
        "es": "Marque si usted también quiere participar; si no quiere, toque «No, gracias».",
        "en": "Tick if you want to take part too; if you do not, tap «No, thank you».",
    },
}
# the nine items of Executive Decree 285 of 2021, in the order in which the notice tells them
ITEM_HEADINGS = {
    "es": {
        "notice_who": "Quién pregunta",
        "notice_purpose": "Para qué",
        "notice_legal": "Por qué se puede",
        "notice_recipients": "Quién las ve",
        "notice_abroad": "Fuera del país",
        "notice_kept": "Cuánto tiempo",
        "notice_rights": "Sus derechos",
        "notice_automated": "Quién decide",
        "notice_officer": "Dudas y quejas",
    },
    "en": {
        "notice_who": "Who asks",
        "notice_purpose": "What for",
        "notice_legal": "Why we may",
        "notice_recipients": "Who sees them",
        "notice_abroad": "Abroad",
        "notice_kept": "How long",
        "notice_rights": "Your rights",
        "notice_automated": "Who decides",
        "notice_officer": "Doubts and complaints",
    },
}
