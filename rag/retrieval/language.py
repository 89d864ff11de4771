"""Whether a question is in English, told by its small words.

The bundled reader and language model were taught English alone: asked in German, they point at a
name that is near and call it the answer. The search and the notes' own sentences serve any language
that the embedder knows at all, so that is what such a question is answered with.
"""

from __future__ import annotations

import re

from rag.reading.scripts import in_other_script

_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH = 2  # points that make a question another language's: one asking word, or two small ones
_ASKS = 2  # points of a word that asks in one language and is no word of English

_ENGLISH = frozenset(
    "a about after all am an and any are as at be been before but by can could did do does done "
    "for from had has have he her his how i if in into is it its list made many may me much my "
    "name no not of on or our over say says she should tell than that the their them there these "
    "they this those to under up us was we were what when where which while who whom whose why "
    "will with would you your".split()
)
# A question that opens so is English, whatever names it holds: "Who wrote Les Fleurs du Mal?"
_OPENS = frozenset(
    "about after are at can could did do does every for from had has have how if should the there "
    "these this to what whats when where which who whom whose why with would".split()
)
# Of each language the words that ask, and then its small words. A word that English has, too, as
# "was" and "comment" and "dove", is among the small ones.
_OTHERS = tuple(
    (frozenset(asking.split()), frozenset(small.split()))
    for asking, small in (
        (  # German
            "wann wo wer wen wem wessen wie wieso weshalb warum woher wohin womit wofür wodurch "
            "worin woran worauf welche welcher welches welchen welchem wieviel wieviele erkläre "
            "erkläre nenne beschreibe vergleiche",
            "was ist sind war waren wird werden wurde wurden hat haben hatte habe kann können "
            "soll sollte muss darf macht der die das den dem des ein eine einen einem einer eines "
            "ich du er wir ihr uns mein meine meinen meiner unser unsere und oder nicht kein "
            "keine im in am an auf aus bei mit nach von vom vor zu zum zur für über unter durch "
            "als auch es sie sich man viel viele lange oft viel gibt steht heißt zwischen",
        ),
        (  # French
            "quand où qui quoi pourquoi combien quel quelle quels quelles lequel laquelle "
            "explique expliquez décris",
            "comment que qu est sont était étaient sera ont avons avait avez fait faut peut "
            "peuvent le la les l un une des du de à au aux en dans sur sous par pour avec sans "
            "entre et ou ne pas plus ce cet cette ces il elle ils elles on nous vous je tu mon ma "
            "mes notre nos leur leurs se y",
        ),
        (  # Spanish
            "qué quién quiénes cuándo cuando dónde donde cuál cuáles cuánto cuánta cuántos "
            "cuántas cuanto cuantos quien cómo explica",
            "como que es son era fue está están hay ha han tiene se el la los las un una unos "
            "unas del de al en con sin por para entre y o no mi mis nuestro nuestra su sus lo más",
        ),
        (  # Italian
            "quando perché perchè quale quali quanto quanti quante spiega",
            "chi cos cosa che dove come quanta è sono era ha hanno si il lo la i gli le un uno "
            "una l del dello della dei degli delle di a al alla in nel nella con su per tra fra e "
            "o non mio mia nostro nostra ci più",
        ),
        (  # Portuguese
            "quem quando onde qual quais quanto quantos quantas porquê explique",
            "que como quanta por porque é são foi era está há tem têm se o a os as um uma do da "
            "dos das de no na nos nas em ao à com sem para entre e ou não meu minha nosso nossa "
            "mais",
        ),
        (  # Dutch
            "wanneer waar wie waarom hoeveel welke welk waarmee waarin",
            "wat hoe is zijn was waren wordt werd heeft hebben kan moet doet de het een van in op "
            "aan met voor door uit bij naar tussen en of niet geen ik je wij we mijn onze ons er "
            "te om dan ook die dat dit deze",
        ),
        (  # Swedish
            "vem vad när varför vilken vilket vilka",
            "hur var är blev har hade kan ska och eller inte den det de en ett i på av till med "
            "för från om vi jag min mitt mina vår vårt som att",
        ),
        (  # Danish and Norwegian
            "hvem hvad hva hvornår når hvor hvorfor hvordan hvilken hvilket hvilke",
            "er var blev ble har havde hadde kan skal og eller ikke den det de en et i på af av "
            "til med for fra om vi jeg min mit mitt mine vores vår som at å",
        ),
        (  # Polish
            "kto kiedy gdzie dlaczego jaki jaka jakie który która które ile",
            "co jak czy jest są był była było na w z do od dla przez po o i lub nie się mój moja "
            "nasz nasza to ten ta te",
        ),
    )
)


def in_english(question: str) -> bool:
    """Whether a question may be English. One without small words of any language may be."""
    if "¿" in question or in_other_script(question):
        return False
    words = [match.group() for match in _WORD.finditer(question.casefold())]
    if not words or words[0] in _OPENS:
        return True
    ours = sum(word in _ENGLISH for word in words)
    theirs = max(
        sum(_ASKS if word in asking else word in small for word in words)
        for asking, small in _OTHERS
    )
    return theirs < _ENOUGH or theirs <= ours
