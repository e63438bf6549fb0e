// What the pages for search and for refused questions say, in both languages.
Object.assign(WORDS.en, {
  askPage: "Ask", searchFor: "Find passages in the documents",
  findPassages: "Search", passages: "Passages", nothingYet: "What is found appears here.", noPassages: "No passage has any of these words.",
  nPassages: "{n} passages", score: "score {n}", waiting: "Refused questions",
  deskNote: "Questions that the service did not answer. What you publish here is the owner’s word: a test that fails until it is mended, "
    + "a passage that is cited, and something to learn from. It is answered after “windlass improve”.",
  noneWaits: "No refused question waits.", notKeptHere: "This service does not keep what is asked (keep_inputs), so no refused question can wait here.",
  asked: "asked {n} times", askedOnce: "asked once", whichAsk: "Questions that the answer is for", wording: "The question as it is published",
  rightAnswer: "The right answer, in sentences as they are to be said", publish: "Publish this answer",
  fromPassage: "A passage is right after all", pickPassage: "This passage answers it", lookFor: "Nearest passages",
  notInDocuments: "Really not in our documents", proposedBy: "Somebody proposed:", take: "Take it",
  published: "Published. A test until it is mended; answered after “windlass improve”.",
  picked: "Noted: that passage is right. Learned by “windlass improve”.", nothingThere: "Noted: it was right to refuse.",
  needAnswer: "Write the answer first.", needPassage: "Choose a passage first.", needQuestion: "Choose at least one question.", tests: "Answered by people",
  testsNote: "Each is a test: it fails until the release answers so.", holds: "answered so", fails: "not answered so yet",
  refuseRight: "(rightly refused)", waitingCount: "{n} refused questions wait", more: "Load again",
});
Object.assign(WORDS.zh, {
  askPage: "提问", searchFor: "在文档中查找段落",
  findPassages: "搜索", passages: "段落", nothingYet: "搜索结果会显示在这里。", noPassages: "没有段落包含这些词。",
  nPassages: "{n} 个段落", score: "得分 {n}", waiting: "未回答的问题",
  deskNote: "服务没有回答的问题。您在此发布的内容即为负责人的决定：它是一项测试（修复之前不通过）、一个可引用的段落，也供模型学习。"
    + "运行 “windlass improve” 之后，问题便会得到回答。",
  noneWaits: "没有等待处理的问题。", notKeptHere: "本服务不保存提问内容（keep_inputs），因此这里不会有等待处理的问题。",
  asked: "问过 {n} 次", askedOnce: "问过 1 次", whichAsk: "此答案适用的问题", wording: "发布时的问题",
  rightAnswer: "正确答案（请写成可直接说出的完整句子）", publish: "发布此答案",
  fromPassage: "其实文档中有答案", pickPassage: "此段落可以回答", lookFor: "最接近的段落",
  notInDocuments: "文档中确实没有", proposedBy: "有人建议：", take: "采用",
  published: "已发布。修复之前测试不通过；运行 “windlass improve” 后即可回答。",
  picked: "已记录：该段落是正确的。“windlass improve” 会学习它。", nothingThere: "已记录：拒绝回答是对的。",
  needAnswer: "请先写出答案。", needPassage: "请先选择一个段落。", needQuestion: "请至少选择一个问题。", tests: "由人回答的问题",
  testsNote: "每一项都是测试：在版本如此回答之前不通过。", holds: "已如此回答", fails: "尚未如此回答",
  refuseRight: "（应当拒绝回答）", waitingCount: "{n} 个未回答的问题等待处理", more: "重新载入",
});
