"""How does one see where patient data ends up? Unmistakable values go in at every door, and are looked for everywhere.

`Planting` is the clinic of the demonstration; into every request it puts a canary wherever words of people may
stand. `Hunt` finds a canary in bytes, in the forms in which text is stored: as it is, in JSON, Base64, hex, UTF-16,
in a URL or a mail.
"""

from __future__ import annotations

import base64
import json
import quopri
import secrets
import urllib.parse
from collections.abc import Iterator, Mapping, Set
from typing import Any

from deploy.demo_clinic import Clinic

NAME = ("Quillon", "Brambleworth")
EMAIL = "brambleworth.q@example.org"
PHONE, PHONE_E164 = "202 555 0147", "+12025550147"
ESCORT_PHONE = "+1 202 555 0163"
MRN = "MRN-7719-QX"
ADDRESS = "77 Marzipan Crescent"
CITY = "Upper Snoring"
BORN = "1971-03-29"
WORDS = "Zoë-marmalade-orchid"
"""Stands in every free text, followed by the name of its field."""

SHORT_WORDS = {"escort_phone": ESCORT_PHONE}
ADDED = {
    "contact": ("concerns",),
    "discharge": ("override_reason",),
    "dose-end": ("reason",),
    "order": ("caution_attested", "reentry_reviewed"),
}
"""Free texts that a body may have and the story does not send, by the last word of the path."""


class Planting(Clinic):
    """`planted`: the names of all fields that carried a canary so far."""

    def __init__(self, base_url: str, tokens: Mapping[str, str]) -> None:
        super().__init__(base_url, tokens)
        self.words: frozenset[str] = frozenset()
        self.planted: set[str] = set()
        self._told = 0

    async def learn(self, codes: Set[str]) -> None:
        """Read which fields take words of people; `codes` are strings that do not."""
        self.words = free_texts(await self.get("/openapi.json")) - codes

    async def post(
        self,
        path: str,
        role: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        given = dict(body or {})
        # A protocol and the label of a container speak of no person.
        about_things = path == "/v1/protocols" or path.endswith("/containers")
        if not about_things and given.get("resourceType") != "Bundle":
            given |= dict.fromkeys(ADDED.get(path.rpartition("/")[2], ()), "")
            given = self._with_words(given)
        # Callers put anything into their keys.
        key = {"Idempotency-Key": f"{NAME[1]} {MRN} {secrets.token_hex(8)}"}
        return await super().post(path, role, given, headers={**key, **(headers or {})}, query=query)

    def _with_words(self, value: Any, name: str = "") -> Any:
        if isinstance(value, Mapping):
            return {key: self._with_words(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self._with_words(one, name) for one in value]
        if name not in self.words or not isinstance(value, str):
            return value
        self.planted.add(name)
        self._told += 1  # two drugs with one name would be one trial
        return SHORT_WORDS.get(name, f"{WORDS} {name} {self._told}")


def a_referral(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """The same referral about somebody else, with words of people in every text that FHIR has."""
    sent: dict[str, Any] = json.loads(json.dumps(bundle))
    for entry in sent["entry"]:
        resource = entry["resource"]
        resource["text"] = {"status": "additional", "div": f"<div>{WORDS} narrative</div>"}
        resource["note"] = [{"text": f"{WORDS} note"}]
        if resource["resourceType"] == "Patient":
            resource |= _person()
        for key in ("code", "medicationCodeableConcept"):
            if key in resource:
                resource[key]["text"] = f"{WORDS} {key}"
    return sent


def _person() -> dict[str, Any]:
    number = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
    return {
        "name": [{"use": "official", "given": [NAME[0]], "family": NAME[1]}],
        "telecom": [{"system": "phone", "value": PHONE}, {"system": "email", "value": EMAIL}],
        "identifier": [{"type": number, "value": MRN}],
        "address": [{"line": [ADDRESS], "city": CITY}],
        "birthDate": BORN,
        "contact": [{"name": {"text": f"{WORDS} contact"}}],
    }


def free_texts(description: Mapping[str, Any]) -> frozenset[str]:
    """Every field in which the API takes words of people, read from its own description."""
    found: set[str] = set()
    for path in description["paths"].values():
        for operation in path.values():
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                if "json" in media and operation["operationId"] not in (
                    "publish_protocol",
                    "receive_referral",
                ):
                    found.update(_texts_of(content["schema"], description["components"]["schemas"], ""))
    return frozenset(found)


def _texts_of(schema: Mapping[str, Any], known: Mapping[str, Any], name: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _texts_of(known[schema["$ref"].rpartition("/")[2]], known, name)
    for choice in schema.get("anyOf", []):
        yield from _texts_of(choice, known, name)
    if "items" in schema:
        yield from _texts_of(schema["items"], known, name)
    for key, one in schema.get("properties", {}).items():
        yield from _texts_of(one, known, key)
    closed = {"enum", "const", "format"} & schema.keys() or schema.get("pattern", r"\S") != r"\S"
    if schema.get("type") == "string" and not closed:
        yield name


class Hunt:
    """Looks for these words, whatever their case, in the forms in which bytes may hold them."""

    def __init__(self, *words: str) -> None:
        self._wanted = sorted({form.lower() for word in words for form in _forms(word)})

    def __call__(self, content: bytes) -> bytes | None:
        """What was found, with a little of what stands around it."""
        lowered = content.lower()
        for form in self._wanted:
            if (at := lowered.find(form)) >= 0:
                return content[max(at - 40, 0) : at + len(form) + 40]
        return None


def _forms(word: str) -> Iterator[bytes]:
    raw = word.encode()
    yield raw
    yield from (word.upper().encode(), word.lower().encode())  # other case beyond ASCII is another byte
    yield word.encode("utf-16-le")
    yield raw.hex().encode()
    yield json.dumps(word)[1:-1].encode()
    yield urllib.parse.quote(word).encode()
    yield quopri.encodestring(raw)
    for shift in range(3):  # where the word stands within a longer text decides which of three forms it takes
        whole = base64.b64encode(bytes(shift) + raw)
        usable = whole[(0, 2, 3)[shift] :].rstrip(b"=")
        yield usable if (shift + len(raw)) % 3 == 0 else usable[:-1]


IDENTITY = (*NAME, EMAIL, PHONE, PHONE.replace(" ", "-"), PHONE_E164, MRN, ADDRESS, CITY, BORN)
CLINICAL = (WORDS, ESCORT_PHONE, ESCORT_PHONE.replace(" ", ""))
