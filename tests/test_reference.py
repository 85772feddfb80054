from reference import ROOT, reference, templates

from newsgen.builder.theme import SLOTS


def test_the_reference_of_templates_is_current() -> None:
    written = (ROOT / "docs/templates-reference.md").read_text(encoding="utf-8")
    assert written == reference(), "run `make reference`"


def test_every_macro_says_what_it_prints_and_every_slot_is_shown() -> None:
    found = templates()
    assert not [f"{each.name}: {macro.tag}" for each in found for macro in each.macros if not macro.comment]
    (base,) = [each for each in found if each.name == "base.html"]
    assert base.slots == list(SLOTS)
    assert {*SLOTS} == {name for each in found for name in each.shows}


def test_every_slot_is_documented() -> None:
    look = (ROOT / "docs/look.md").read_text(encoding="utf-8")
    for name in templates()[0].slots:
        assert f"| `{name}` |" in look, name
