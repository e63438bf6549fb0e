"""What a model card says, in English and Chinese: the same facts in the same order.

What was written when the product was evaluated (reasons, misses, warnings) is quoted as it stands there.
"""

TERMS = {
    "accuracy": "准确率",
    "validation": "验证",
    "answers": "应答",
    "size": "大小",
    "train": "训练",
    "time": "用时",
    "calibration": "校准误差",
    "error": "",
    "goal": "目标",
    "p95 latency": "p95 延迟",
    "texts against the rules": "违反规则的文本",
}
"""Words of tables and limits; a name that is not here is the same in both languages."""
WORDS = {
    "details": ("Model details", "模型详情"),
    "use": ("Intended use", "预期用途"),
    "factors": ("Factors", "影响因素"),
    "metrics": ("Metrics", "指标"),
    "evaluation": ("Evaluation data", "评估数据"),
    "training": ("Training data", "训练数据"),
    "analyses": ("Quantitative analyses", "定量分析"),
    "ethics": ("Ethical considerations", "伦理考量"),
    "caveats": ("Caveats and recommendations", "注意事项与建议"),
    "reproduce": ("How to reproduce", "如何复现"),
    "answers": ("From {given} it answers {asked}.", "由 {given} 得出 {asked}。"),
    "answers_something": ("It answers the output column from the inputs.", "由输入列得出输出列。"),
    "learner": (
        "Candidate {name}, trained by the learner {learner} in {time}.",
        "候选模型 {name}，由学习器 {learner} 训练，用时 {time}。",
    ),
    "speed": (
        "Size {size}; one answer takes {p50} (median), {p95} (95th percentile), {rate} answers/s{machine}.",
        "大小 {size}；一次回答用时 {p50}（中位数）、{p95}（95 百分位），每秒 {rate} 个回答{machine}。",
    ),
    "machine": (" on {machine}", "（机器：{machine}）"),
    "made": ("Made {created} with Windlass {version}.", "由 Windlass {version} 制作于 {created}。"),
    "licence": (
        "Licence: of the code Apache-2.0 (Windlass); of the weights {weights}; of the data {data}.",
        "许可：代码为 Apache-2.0（Windlass）；权重{weights}；数据{data}。",
    ),
    "weights_own": ("yours: they were learned from these data alone", "归你所有：只从这些数据中学得"),
    "weights_begun": (
        "that of the pretrained model that it began with, where it began with one, and else yours",
        "以其起始的预训练模型的许可为准；若未使用预训练模型，则归你所有",
    ),
    "data_untold": (
        "not told (`data_licence` in windlass.yaml): state it before passing the model on",
        "未写明（windlass.yaml 中的 `data_licence`）：转交模型之前请写明",
    ),
    "primary": (
        "Primary use: rows like those of its training data, in the product {product}.{known}",
        "主要用途：产品 {product} 中与训练数据同类的数据。{known}",
    ),
    "known": (" It knows {n} labels and answers one of them, always.", "它认识 {n} 个标签，每次都只从中回答一个。"),
    "users": ("Users: those who run this product and know its data.", "使用者：运行此产品并了解其数据的人。"),
    "not_for": (
        "It must not be used for other data, languages or populations than those below without measuring it there, nor "
        "as the only ground of a decision that weighs heavily on a person (credit, work, health, law, safety).",
        "未经重新测量，不得用于下列以外的数据、语言或人群；"
        "也不得作为对个人有重大影响的决定（信贷、工作、健康、法律、安全）的唯一依据。",
    ),
    "groups": (
        "Quality by group, language or source of the rows was not measured in this card; it may differ from the "
        "overall score.{few}",
        "本卡没有按人群、语言或数据来源分别测量质量，它们可能与总体得分不同。{few}",
    ),
    "few": (" {n} labels have fewer than 30 test rows: {names}.", "有 {n} 个标签的测试数据不足 30 行：{names}。"),
    "and_more": (" and {n} more", " 等，另有 {n} 个"),
    "metric": ("metric", "指标"),
    "value": ("value [95 % interval]", "数值 [95% 区间]"),
    "calibration_error": ("calibration error", "校准误差"),
    "insisted": (
        "**Released at the user's insistence** (`windlass release --anyway`), although {against}.",
        "**应用户坚持而发布**（`windlass release --anyway`），尽管存在以下问题：{against}。",
    ),
    "threshold": ("{label} is the answer from this probability on", "回答 {label} 的最低概率"),
    "goal": ("Goal: {goal}{limits}. Goal and limits are {verdict}.", "目标：{goal}{limits}。目标与限制：{verdict}。"),
    "no_goal": (
        "Goal: {goal}{limits}. No goal was given that could be met or missed.",
        "目标：{goal}{limits}。没有给出可判定是否达到的目标。",
    ),
    "open_goal": ("{goal}", "尽可能好"),
    "limits": ("; limits: {limits}", "；限制：{limits}"),
    "met": ("met", "已达到"),
    "met_unsure": (
        "met, though not for certain: the 95 % interval of the score reaches to {end}",
        "已达到，但并不确定：得分的 95% 区间延伸至 {end}",
    ),
    "not_met": ("**not met**: {misses}", "**未达到**：{misses}"),
    "headline": (
        "The headline is {metric}. Scores are shares 0–1, errors in the unit of the answer. Intervals of shares are "
        "Wilson's, all others bootstrap percentiles over the test rows. The calibration error, where there is one, is "
        "the mean gap between confidence and accuracy (Guo et al. 2017).",
        "主要指标是 {metric}。得分为 0–1 之间的比例，误差以答案的单位计。比例的区间为威尔逊（Wilson）区间，"
        "其余为测试数据的自助法（bootstrap）百分位数。校准误差（如有）是置信度与准确率的平均差距（Guo et al. 2017）。",
    ),
    "tested": (
        "{n} test rows that training did not see, answered by the artifact that is served, through the code that "
        "serves it. Data fingerprint: {fingerprint}.",
        "{n} 行训练时未见过的测试数据，由实际上线的模型文件、通过实际上线的代码作答。数据指纹：{fingerprint}。",
    ),
    "split": ("split", "划分"),
    "rows": ("rows", "行数"),
    "removed": ("Removed before:", "事先移除："),
    "reason": ("reason", "原因"),
    "label": ("label", "标签"),
    "share": ("share", "占比"),
    "more_labels": ("and {n} labels more", "另有 {n} 个标签"),
    "candidate": ("candidate", "候选"),
    "this": (" (this)", "（本模型）"),
    "why": ("{why}", "选择理由：{why}"),
    "as_good": ("{name} is statistically as good (95 %).", "{name} 在统计上同样好（95%）。"),
    "not_trained": ("Not trained: {name} ({reason})", "未训练：{name}（{reason}）"),
    "repeats": (
        "It repeats what its data holds, wrong labels and one-sided samples among it. Fairness between groups of "
        "people is not shown by the scores above.",
        "它会重复数据中的一切，包括错误的标签和片面的样本。以上得分不能说明不同人群之间的公平性。",
    ),
    "checks": ("What the checks of the data found:", "数据检查的发现："),
    "drifts": (
        "The scores hold for rows like the test rows; when the data drifts, measure again.",
        "得分只适用于与测试数据同类的数据；数据发生漂移时请重新测量。",
    ),
    "reaches": (
        "Its intervals held the right number for {covered} of the test rows; a number outside of one can be far off.",
        "在测试数据中，{covered} 的正确数值落在它给出的区间内；落在区间外的数值可能相差很大。",
    ),
    "too narrow": (
        "**Its {promised} intervals are too narrow**: they held {held} of the right numbers of the test rows, which is "
        "fewer than promised beyond chance.",
        "**它的 {promised} 区间偏窄**：测试数据中只有 {held} 的正确数值落在区间内，少于所承诺的比例，且超出偶然。",
    ),
    "too wide": (
        "Its {promised} intervals are wider than they need be: they held {held} of the right numbers of the test rows.",
        "它的 {promised} 区间比需要的更宽：测试数据中有 {held} 的正确数值落在区间内。",
    ),
    "writes": (
        "It writes texts that can be wrong and sound right; nothing it says was checked.",
        "它写出的文本可能听起来正确而实际有误；它说的内容均未经核实。",
    ),
    "confidence": (
        "Of answers given with confidence 0.9, 0.9 should be right; the mean gap on the test rows is {gap}. Send "
        "answers with little confidence to a person.",
        "置信度为 0.9 的回答应有九成正确；在测试数据上的平均差距为 {gap}。置信度低的回答请交给人处理。",
    ),
    "compared": (
        "{n} candidates were compared on these test rows, which can make the score of the chosen one slightly "
        "optimistic.",
        "在这些测试数据上比较了 {n} 个候选模型，因此所选模型的得分可能略偏乐观。",
    ),
    "again": (
        "Windlass {version}{seed}, data with the fingerprint {fingerprint}, and this `windlass.yaml`; then `windlass "
        "run`.",
        "使用 Windlass {version}{seed}、指纹为 {fingerprint} 的数据和以下 `windlass.yaml`，然后运行 `windlass run`。",
    ),
    "seed": (", seed {seed}", "、随机种子 {seed}"),
}
