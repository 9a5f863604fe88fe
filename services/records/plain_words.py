"""How does a code read as words?"""


def words(code: str) -> str:
    """`medical-director` reads "medical director"."""
    return code.replace("-", " ").replace("_", " ").replace(".", " ")
