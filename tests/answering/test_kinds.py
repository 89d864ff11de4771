"""The kind of answer that a question wants."""

import pytest

from rag.answering.kinds import kind_of


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
        ("Why is the barrel empty?", "explanation"),
        ("How does attention work?", "explanation"),
        ("How do I prune roses?", "explanation"),
        ("Explain beam search", "explanation"),
        ("What is the difference between CLIP and BERT?", "explanation"),
        ("compare GANs and VAEs", "explanation"),
        ("How do GPT and BERT differ?", "explanation"),
        ("Should I use RAG or fine-tuning?", "explanation"),
        ("What is overfitting, and how do I avoid it?", "explanation"),
        ("How is traditional AI different from generative AI?", "explanation"),
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
