"""What does a person read in return for a text message or an e-mail?

One sentence or two for each answer, in each language, as neutral as every message: whoever picks the telephone up
learns that there is a visit, no more. Every answer that is not about opting out ends with who helps at once.
"""

from collections.abc import Mapping
from datetime import datetime
from string import Formatter
from types import MappingProxyType

from clinical.replies import Answer
from services.notifications.interface import ChannelName
from services.notifications.language import Language, language_for
from services.notifications.local_time import local_time
from services.notifications.wording import HelpLines

ENGLISH: Mapping[Answer, str] = MappingProxyType(
    {
        Answer.CONFIRMED: "Thank you. Your visit {starts_at} is confirmed.",
        Answer.PERSON_WILL_MOVE_IT: (
            "Thank you. Your visit {starts_at} still stands; a person will contact you about another time."
        ),
        Answer.ALREADY_PASSED: "That visit has already passed; nothing was changed. Please call us if you need us.",
        Answer.OTHER_TIME: (
            "Your visit has another time: {starts_at}. Reply YES to confirm it, CHANGE for another one."
        ),
        Answer.NO_VISIT: "No visit is booked for you at this time; nothing was changed. Please call us if you need us.",
        Answer.ASKED_AGAIN: (
            "We did not understand that. Reply YES to confirm your visit, CHANGE for another time, STOP for no more "
            "{messages}."
        ),
        Answer.PERSON_WILL_READ: "Thank you. A person will read your message and contact you.",
        Answer.STOPPED: "You will get no more {messages} from us. Reply START to get them again.",
        Answer.STARTED: "You will get {messages} from us again. Reply STOP to end them.",
        Answer.HELP: (
            "Reply YES to confirm your visit, CHANGE for another time, STOP for no more {messages}. Please call "
            "us if you need us."
        ),
        Answer.CRISIS: "A person was told of your message. Please do not wait for an answer here.",
        Answer.NOT_KNOWN: "We cannot tell who this message is from; nothing was changed. Please call us.",
    }
)
SPANISH: Mapping[Answer, str] = MappingProxyType(
    {
        Answer.CONFIRMED: "Gracias. Su visita {starts_at} está confirmada.",
        Answer.PERSON_WILL_MOVE_IT: (
            "Gracias. Su visita {starts_at} sigue en pie; una persona se pondrá en contacto con usted para buscar "
            "otra hora."
        ),
        Answer.ALREADY_PASSED: "Esa visita ya pasó; no se cambió nada. Llámenos si nos necesita.",
        Answer.OTHER_TIME: (
            "Su visita tiene otra hora: {starts_at}. Responda SI para confirmarla, CAMBIAR para buscar otra."
        ),
        Answer.NO_VISIT: "No tiene ninguna visita reservada por ahora; no se cambió nada. Llámenos si nos necesita.",
        Answer.ASKED_AGAIN: (
            "No hemos entendido su mensaje. Responda SI para confirmar su visita, CAMBIAR para otra hora, ALTO para "
            "no recibir más {messages}."
        ),
        Answer.PERSON_WILL_READ: "Gracias. Una persona leerá su mensaje y se pondrá en contacto con usted.",
        Answer.STOPPED: "No recibirá más {messages}. Responda INICIAR para recibirlos de nuevo.",
        Answer.STARTED: "Recibirá de nuevo nuestros {messages}. Responda ALTO para no recibirlos.",
        Answer.HELP: (
            "Responda SI para confirmar su visita, CAMBIAR para otra hora, ALTO para no recibir más {messages}. "
            "Llámenos si nos necesita."
        ),
        Answer.CRISIS: "Hemos avisado a una persona de su mensaje. Por favor, no espere una respuesta aquí.",
        Answer.NOT_KNOWN: "No sabemos de quién es este mensaje; no se cambió nada. Llámenos, por favor.",
    }
)
ANSWERS: Mapping[Language, Mapping[Answer, str]] = MappingProxyType(
    {Language.ENGLISH: ENGLISH, Language.SPANISH: SPANISH}
)
HELP_NOW = {
    Language.ENGLISH: "In crisis? Call or text {crisis_line} at any hour. Emergency: {emergency_number}.",
    Language.SPANISH: "¿En crisis? Llame o escriba al {crisis_line} a cualquier hora. Emergencias: {emergency_number}.",
}
MESSAGES = {
    ChannelName.SMS: {Language.ENGLISH: "text messages", Language.SPANISH: "mensajes de texto"},
    ChannelName.EMAIL: {Language.ENGLISH: "e-mails", Language.SPANISH: "correos electrónicos"},
}
"""What a person gets no more of, by the way on which they wrote."""
WITHOUT_HELP = frozenset({Answer.STOPPED, Answer.STARTED})


def answer_text(
    answer: Answer,
    wish: str,
    zone: str,
    at: datetime | None,
    help_lines: HelpLines,
    channel: ChannelName = ChannelName.SMS,
) -> str:
    """The words of an answer; `at` is the visit it speaks of, told in the person's own time."""
    language = language_for(wish)
    shown = "" if at is None else local_time(at, zone, language)
    said = ANSWERS[language][answer].format(starts_at=shown, messages=MESSAGES[channel][language])
    if answer in WITHOUT_HELP:
        return said
    numbers = {"crisis_line": help_lines.crisis_line, "emergency_number": help_lines.emergency_number}
    return f"{said} {HELP_NOW[language].format(**numbers)}"


def placeholders(text: str) -> set[str]:
    """What is filled in."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}
