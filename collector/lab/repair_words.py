"""Why a record waits for a person, in plain words; what may have happened says templates/lab/_repair.html."""

WHYS = {
    "conflict": "Mismo registro, dos contenidos",
    "bad_record": "Le faltan datos",
    "not_canonical": "Escrito de otra manera",
    "revoked_node": "Vino de un equipo dado de baja",
    "not_allowed": "Quiso cambiar otro registro",
    "room_refused": "La sala no lo podía recibir",
    "room_late": "Llegó tarde a la sala",
    "no_consent": "Falta el consentimiento",
    "form_unknown": "Formulario que no conocemos",
    "form_differs": "El formulario era otro",
    "serial_used": "Hoja digitada dos veces",
    "ticket_used": "Enlace usado dos veces",
    "clock": "Hora imposible",
}

KINDS = {
    "submission": "respuesta",
    "edit": "corrección",
    "contribution": "lo dicho en una sala",
    "annotation": "decisión",
    "tombstone": "borrado de otro registro",
}
