"""The verbs whose forms are known, so that a question with them is grammatical."""

from __future__ import annotations

_REGULAR = """open start launch move publish release invent discover design introduce join
finish complete visit establish name sign acquire purchase create develop plant repair replace
install order rent rename abolish organise organize announce adopt approve reach
return retire expand merge close arrive end paint compose direct record measure"""
# Base, past, participle.
_IRREGULAR = """found founded founded, build built built, buy bought bought, sell sold sold,
write wrote written, win won won, lose lost lost, begin began begun, become became become,
give gave given, take took taken, make made made, find found found, hold held held, pay paid paid,
meet met met, lead led led, teach taught taught, draw drew drawn, die died died, leave left left,
send sent sent, choose chose chosen, break broke broken, come came come, steal stole stolen,
grow grew grown, see saw seen, bring brought brought, lend lent lent, set set set, beat beat beaten,
bake baked baked, invite invited invited, hire hired hired, borrow borrowed
borrowed, carry carried carried, study studied studied, marry married married, plan planned planned,
destroy destroyed destroyed"""


def _forms() -> list[tuple[str, str, str]]:
    regular = [
        (base, past := base + ("d" if base.endswith("e") else "ed"), past)
        for base in _REGULAR.split()
    ]
    irregular = [tuple(each.split()) for each in " ".join(_IRREGULAR.split()).split(", ")]
    return [*regular, *((base, past, participle) for base, past, participle in irregular)]


# "found" is the past of "find", never the base, where a sentence tells what was.
BASES = {past: base for base, past, _ in reversed(_forms())}
PASTS = {participle: past for _, past, participle in reversed(_forms())}
