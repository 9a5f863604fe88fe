"""Which words of a text message mean what, in English and in Spanish?

Spelled as `clinical.replies` compares them: lower case, no accents, no punctuation. A phrase counts only if it
is the whole message but for politeness, so that "no problem" is no NO. Words of crisis count anywhere.
Source: product F10; CTIA messaging principles (keywords of opting out); clinical facts §6.2 for the crisis.
"""

YES = frozenset(
    "yes|y|yep|yeah|yup|confirm|confirmed|i confirm|i will be there|ill be there|i ll be there|see you|see you then"
    "|si|s|claro|claro que si|confirmo|confirmado|de acuerdo|vale|alli estare|ahi estare|👍|✅".split("|")
)
NO = frozenset(
    "no|n|nope|cannot|cant|can t|i cant|i can t|i cannot|i cant come|i can t come|i cannot come|i cant make it"
    "|i can t make it|cancel|cancel it|cancel my visit|cancel my appointment"
    "|no puedo|no puedo ir|no ire|cancelar|cancele|cancelar la cita|cancelar mi cita|👎|❌".split("|")
)
CHANGE = frozenset(
    "change|move|reschedule|another time|other time|another day|change it|change time|change my visit"
    "|change my appointment|can we change it|can we move it|can i reschedule"
    "|cambiar|cambio|cambie|cambiar la cita|cambiar mi cita|mover|otra hora|otro dia|otra fecha".split("|")
)
STOP = frozenset(
    "stop|stopall|stop all|stop it|end|quit|unsubscribe|opt out|optout|remove me|stop texting|stop texting me"
    "|stop messages|stop messaging me|no more texts|no more messages|do not text me|dont text me|don t text me"
    "|alto|parar|pare|pararlo|baja|detener|no mas mensajes|no mas textos|deje de escribirme"
    "|no me escriba|no me escriban|no enviar mas".split("|")
)
START = frozenset("start|unstop|opt in|subscribe|resume|iniciar|empezar|comenzar|reanudar|alta".split("|"))
HELP = frozenset("help|info|ayuda|informacion".split("|"))

POLITE = frozenset(
    "please|pls|thanks|thank|you|thx|ok|okay|hi|hello|por|favor|gracias|muchas|hola|buenos|buenas|dias|tardes".split(
        "|"
    )
)
"""Left out at both ends before a phrase is looked up."""

SPANISH = frozenset(
    "si|claro|confirmo|confirmado|vale|acuerdo|estare|puedo|ire|cancelar|cancele|cambiar|cambio|cambie|cita|mover"
    "|otra|otro|alto|parar|pare|baja|detener|mas|mensajes|escriba|iniciar|empezar|comenzar|reanudar|alta|ayuda"
    "|informacion|por|favor|gracias|hola|quiero|vivir|morir|vida|hacerme|no puedo".split("|")
)
"""A message with one of these is answered in Spanish where the person's language is not known."""

CRISIS = (
    *("suicid", "kill myself", "killing myself", "killed myself", "end my life", "ending my life", "end it all"),
    *("take my life", "take my own life", "want to die", "wanna die", "wish i was dead", "wish i were dead"),
    *("want to be dead", "better off dead", "live anymore", "live any more", "want to live", "wanna live"),
    *("no reason to live", "nothing to live for", "cant go on", "can t go on", "cannot go on", "hurt myself"),
    *("hurting myself", "harm myself", "harming myself", "self harm", "selfharm", "cut myself", "cutting myself"),
    *("overdose", "kms", "hang myself", "shoot myself", "jump off", "not safe", "unsafe"),
    *("matarme", "me mato", "me voy a matar", "quiero morir", "me quiero morir", "quisiera morir", "morirme"),
    *("quitarme la vida", "acabar con mi vida", "terminar con mi vida", "acabar con todo", "no quiero vivir"),
    *("no quiero seguir viviendo", "sin ganas de vivir", "mejor muerto", "mejor muerta", "hacerme dano"),
    *("lastimarme", "cortarme", "ahorcarme", "sobredosis", "no puedo mas", "ya no aguanto", "no estoy a salvo"),
    " 988 ",
)
"""Parts of a message, wherever they stand. Too many is the safe side: a person looks at each."""
