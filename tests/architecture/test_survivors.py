"""Does the list of surviving mutants say of each why it survives, and is each still a line of its rule?"""

from tests.architecture.tree import ROOT
from tests.mutants import LIST, MODULES, listed


def test_every_survivor_is_a_line_of_its_rule_and_has_a_reason() -> None:
    known = listed()
    assert len(known) == LIST.read_text().count("\n- `")
    for mutant, why in known.items():
        module = mutant.function.partition(".")[0]
        assert module in MODULES
        assert mutant.was in (ROOT / "clinical" / f"{module}.py").read_text(), mutant.was
        assert mutant.was != mutant.now
        assert len(why) > 20


def test_every_module_that_is_changed_exists() -> None:
    assert [name for name in MODULES if not (ROOT / "clinical" / f"{name}.py").exists()] == []
