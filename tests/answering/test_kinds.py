"""The kind of answer that a question wants."""

import pytest

from rag.answering.kinds import asks_many, first_asked, kind_of, names_several, sides_of


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who founded the library?", "fact"),
        ("When did it close?", "fact"),
        ("How many books does it hold?", "fact"),
        ("What is the name of the founder?", "fact"),
        ("What year did the library open?", "fact"),
        ("How did the fire start?", "fact"),
        ("What is RAG?", "explanation"),
        ("what is a diffusion model", "explanation"),
        ("What's fine-tuning?", "explanation"),
        ("What is Occam's razor?", "explanation"),
        ("What is temperature?", "explanation"),
        ("What was the wedding date?", "fact"),
        ("What is Ada's role?", "fact"),
        ("what's the boiler password", "fact"),
        ("Why is the barrel empty?", "explanation"),
        ("How does attention work?", "explanation"),
        ("How do I prune roses?", "explanation"),
        ("Explain beam search", "explanation"),
        ("What is the difference between CLIP and BERT?", "comparison"),
        ("compare GANs and VAEs", "comparison"),
        ("How do GPT and BERT differ?", "comparison"),
        ("Should I use RAG or fine-tuning?", "comparison"),
        ("What is overfitting, and how do I avoid it?", "explanation"),
        ("How is traditional AI different from generative AI?", "comparison"),
        ("How does RAG work, step by step?", "list"),
        ("Which text-to-speech systems do my notes mention?", "list"),
        ("What features does Copilot X have?", "list"),
        ("List the steps of pruning", "list"),
        ("What are the parts of a transformer?", "list"),
        ("which are my open tasks", "list"),
    ],
)
def test_kinds(question: str, kind: str):
    assert kind_of(question) == kind


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        (
            "What is the difference between a DCGAN and a conditional GAN?",
            ("DCGAN", "conditional GAN"),
        ),
        ("compare GANs with VAEs", ("GANs", "VAEs")),
        ("How do GPT and BERT differ?", ("GPT", "BERT")),
        ("How does quantization differ from distillation?", ("quantization", "distillation")),
        ("How is RAG different from fine-tuning, and why?", ("RAG", "fine-tuning")),
        ("Should I use RAG or fine-tuning?", ("RAG", "fine-tuning")),
        ("Which is better: tea or coffee?", ("tea", "coffee")),
        ("SQLite vs. Postgres", ("SQLite", "Postgres")),
        ("What separates ML from statistics?", ("ML", "statistics")),
        ("Who founded the library and when?", None),
        ("What is RAG?", None),
        ("What did Anna or Bert say?", None),
    ],
)
def test_the_sides_of_a_comparison(question: str, sides: tuple[str, str] | None):
    assert sides_of(question) == sides


@pytest.mark.parametrize(
    ("question", "many"),
    [
        ("what's packed in the grab bag?", True),
        ("what do I need to wear at the concert", True),
        ("Which clubs are there at the school?", True),
        ("what were my resolutions?", True),
        ("who came to the meeting", True),
        ("what bee kit do I need to buy", True),
        ("which knee exercises am I supposed to do", True),
        ("who's on the hall committee?", True),
        ("what present did I get from Callum?", False),
        ("what size tyres do I need", True),
        ("what size battery do I need", False),
        ("What makes day length constant?", False),
        ("Which bus goes there?", False),
        ("What is in motion?", False),
        ("who came first?", True),  # a list of who came is shown where there is one
        ("What did the doctor say?", False),
    ],
)
def test_whether_several_things_are_asked_for(question: str, many: bool):
    assert asks_many(question) == many


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Who made the loom, and when?", "Who made the loom?"),
        ("when was it made and by whom", "when was it made?"),
        ("Who made the loom and the shuttle?", "Who made the loom and the shuttle?"),
        ("and when was it made?", "and when was it made?"),
    ],
)
def test_of_two_questions_in_one_the_first_is_read_for(question: str, first: str):
    assert first_asked(question) == first


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("what tablets is Ada on?", True),
        ("Which P. J. Hallam books have I read?", True),
        ("which bus goes there?", False),
        ("What does Ada take?", False),
        ("which class is Ada in", False),
        ("Who takes the tablets?", False),
    ],
)
def test_whether_things_are_asked_for_by_what_they_are(question: str, several: bool):
    assert names_several(question) == several
