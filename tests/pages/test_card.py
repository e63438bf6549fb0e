"""Cards keep the headings that readers know, and text from outside stays text."""

import re
from dataclasses import replace

import yaml

from windlass.language.rendering import in_chinese
from windlass.metrics.measures import wilson
from windlass.pages.text.card import Card, code, data_card, model_card, prose
from windlass.pages.text.card_words import WORDS
from windlass.records import Board, Collected, Prepared

SPEC = "name: support-desk\ndata: a.csv\ninputs: {message: text}\noutput: {intent: category}\nseed: 99\n"
MITCHELL = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]
EVIL = "<script>alert(1)</script> | `tick` [a](javascript:x) \n# head \u202e"


def made(board: Board, prepared: Prepared, spec_text: str = SPEC) -> Card:
    return Card("support-desk", "linear", board, prepared, spec_text, "0.1.0", "2026-11-22")


def test_the_model_card_has_the_headings_of_the_paper_in_their_order(board: Board, prepared: Prepared) -> None:
    headings = re.findall(r"^## (.+)$", model_card(made(board, prepared)), flags=re.MULTILINE)
    assert headings == [*MITCHELL, "How to reproduce"]


def test_the_front_matter_is_yaml_that_names_the_model(board: Board, prepared: Prepared) -> None:
    text = model_card(made(replace(board), prepared))
    front = yaml.safe_load(text.split("---")[1])
    assert front["model_name"] == "support-desk"
    assert front["metrics"] == ["macro_f1", "accuracy"]


def test_the_model_card_states_score_cost_data_and_how_to_reproduce_it(board: Board, prepared: Prepared) -> None:
    text = model_card(made(board, prepared))
    for part in (
        "0.912 [0.889, 0.935]",
        "602 test rows",
        "`9f2c61d08ab4e3f7`",
        "0.52 ms (95th percentile)",
        "seed 99",
        "Windlass 0.1.0",
        "p95 latency ≤ 20 ms, size ≤ 60 MB",
        "`linear` (this)",
        "must not be used",
    ):
        assert part in text


def test_every_card_has_the_licence_of_code_weights_and_data(board: Board, prepared: Prepared) -> None:
    untold = made(board, prepared)
    assert "Licence: of the code Apache-2.0 (Windlass); of the weights yours: they were" in model_card(untold)
    assert "of the data not told (`data_licence` in windlass.yaml)" in model_card(untold)
    told = replace(untold, data_licence="CC BY 4.0", is_begun=True)
    assert "that of the pretrained model that it began with" in model_card(told)
    assert "; of the data CC BY 4.0." in model_card(told)
    assert "数据CC BY 4.0。" in chinese(told)


def chinese(card: Card) -> str:
    return model_card(replace(card, language="zh"))


def test_a_card_in_chinese_says_the_same_and_quotes_what_was_written_in_english(
    board: Board, prepared: Prepared
) -> None:
    """Beside names, code and what it quotes, no line has two English words in a row; the English card has many."""
    card = replace(made(board, prepared), candidate="cnn")
    quoted = {board.why, board.machine, *prepared.warnings, *board.candidate("cnn").misses}
    quoted |= {part for each in board.not_trained for part in (each["status"], each["reason"])}
    quoted |= {in_chinese(each) for each in quoted}

    def english(text: str) -> list[str]:
        body = text.split("\n---\n")[1].split("```")[0].replace("\\", "")
        for words in sorted(quoted, key=len, reverse=True):
            body = body.replace(words, "")
        return re.findall(r"[a-z]{3,} [a-z]{3,}[^\n]*", re.sub(r"`[^`]*`|Guo et al\\. 2017", "", body))

    assert english(chinese(card)) == []
    assert len(english(model_card(card))) > 20
    assert all(f"## {heading[1]}\n" in chinese(card) for heading in list(WORDS.values())[:10])


def test_both_languages_leave_the_same_places_for_values() -> None:
    for key, (english, chinese) in WORDS.items():
        if key != "open_goal":
            assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", chinese)), key


def test_a_missed_goal_is_said_in_the_model_card(board: Board, prepared: Prepared) -> None:
    text = model_card(replace(made(board, prepared), candidate="cnn"))
    assert "**not met**: macro_f1 is 0.887, expected at least 0.9" in text


def test_a_specification_that_cannot_be_read_leaves_the_seed_out(board: Board, prepared: Prepared) -> None:
    text = model_card(made(board, prepared, "```\nnot: [yaml"))
    assert "seed" not in text
    assert "````yaml\n```\nnot: [yaml\n````" in text


def test_every_table_of_the_cards_has_rows_of_one_length(
    board: Board, prepared: Prepared, collected: Collected
) -> None:
    for text in (model_card(made(board, prepared)), data_card(prepared, collected)):
        for table in re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE):
            lengths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(lengths) == 1


def test_the_data_card_counts_rows_in_and_out(prepared: Prepared, collected: Collected) -> None:
    text = data_card(prepared, collected)
    for part in (
        "| rows in | 2,420 |",
        "| rejected: 'intent' is missing | 1 |",
        "| `exact duplicate` | 18 |",
        "`order_status`",
        "| `message` | text | input |",
        "7 messages are longer",
    ):
        assert part in text
    assert "Collected" not in data_card(prepared)


def test_text_from_outside_stays_text_in_markdown(board: Board, collected: Collected) -> None:
    assert prose("a_b *c* <i>") == "a_b \\*c\\* &lt;i&gt;"
    assert code("a`b|c") == "``a`b\\|c``"
    assert code("") == "–"
    evil = Prepared(EVIL, {EVIL: 1}, {EVIL: 1}, {EVIL: {EVIL: 1}}, [{"name": EVIL, "examples": [EVIL]}, {}], [EVIL])
    text = data_card(evil, replace(collected, reasons={EVIL: 1}, warnings=[EVIL]))
    outside_code = re.sub(r"(`+).+?\1", "", text)
    assert "<script" not in outside_code
    assert "\n# head" not in text
    assert "\u202e" not in text
    assert model_card(made(replace(board, why=EVIL, machine=EVIL), evil))


def test_a_goal_that_is_met_though_not_for_certain_is_said_so(board: Board, prepared: Prepared) -> None:
    """0.912 [0.889, 0.935]: not for certain where 0.90 is asked, for certain where 0.88 is."""
    assert "Goal and limits are met, though not for certain: the 95 % interval of the score reaches to 0.889" in (
        model_card(made(board, prepared))
    )
    assert "已达到，但并不确定：得分的 95% 区间延伸至 0.889" in chinese(made(board, prepared))
    sure = replace(board, goal="macro_f1 >= 0.88")
    assert "Goal and limits are met." in model_card(made(sure, prepared))
    assert "目标与限制：已达到。" in chinese(made(sure, prepared))


def test_without_goal_and_limits_neither_is_called_met(board: Board, prepared: Prepared) -> None:
    free = replace(board, goal="macro_f1", limits={})
    assert "No goal was given that could be met or missed." in model_card(made(free, prepared))
    assert "没有给出可判定是否达到的目标" in chinese(made(free, prepared))


def test_the_card_warns_of_intervals_that_are_too_narrow(board: Board, prepared: Prepared) -> None:
    """247 of 298 inside: 82.9 % [78.2 %, 86.7 %]; the control, 270 of 298, is 90.6 %."""
    for n_inside, is_told in ((247, True), (270, False)):
        candidates = [
            replace(each, metrics={**each.metrics, "coverage_90": wilson(n_inside, 298)}) for each in board.candidates
        ]
        card = made(replace(board, candidates=candidates), prepared)
        assert ("intervals are too narrow**: they held 82.9 % [78.2 %, 86.7 %]" in model_card(card)) is is_told
        assert ("区间偏窄" in chinese(card)) is is_told
