"""Chat templates: a file's own, whatever it makes of system messages; no text can end a turn."""

from __future__ import annotations

import pytest

from rag.answering.templates import hole, pieces, render, render_plain

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content | trim }}<end_of_turn>\n"
    "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
DROPS_SYSTEM = (
    "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endfor %}[bot]"
)
CALLS = "{% generation %}{% for m in messages %}{{ m.content }}{% endfor %}{% endgeneration %}"
THINKS = CHATML.replace("assistant\n", "assistant\n{% if enable_thinking %}<think>{% endif %}")


def test_messages_are_holes():
    said = render(CHATML, ["system", "user"], "<s>", "</s>")
    assert pieces(said) == [
        "<|im_start|>system\n",
        0,
        "<|im_end|>\n<|im_start|>user\n",
        1,
        "<|im_end|>\n<|im_start|>assistant\n",
    ]


@pytest.mark.parametrize("template", [NO_SYSTEM, DROPS_SYSTEM])
def test_without_a_system_role_it_stands_before_the_question(template: str):
    said = render(template, ["system", "user"], "<bos>", "")
    assert f"{hole(0)}\n\n{hole(1)}" in said
    assert "system" not in said
    assert said.startswith("<bos>") == (template is NO_SYSTEM)


def test_what_transformers_knows_is_known():
    assert pieces(render(CALLS, ["user"], "", "")) == [0]
    said = render("{{ strftime_now('%Y') }}{{ messages[0].content | tojson }}", ["user"], "", "")
    assert said is None  # a message that is not there as it is could be anything
    assert render("{{ messages[0].content }}{% break %}", ["user"], "", "") is None


def test_a_model_thinks_when_told_to():
    assert render(THINKS, ["user"], "", "", thinking=True).endswith("<think>")
    assert "<think>" not in render(THINKS, ["user"], "", "")


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in",
        "{{ nothing.at.all }}",
        "no messages",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ messages[0].content }}",
        "{{ 1 // 0 }}{{ messages[0].content }}",
        "{% for i in range(99999999) %}x{% endfor %}",
        "{{ raise_exception('never') }}",
    ],
)
def test_a_template_that_fails_is_none(template: str):
    assert render(template, ["system", "user"], "", "") is None


def test_a_base_model_goes_on_with_a_text():
    assert pieces(render_plain(["system", "user"])) == [0, "\n\n", 1, "\n\nAnswer:"]
