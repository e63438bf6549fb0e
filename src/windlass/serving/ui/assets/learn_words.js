// What the page for learners says, in both languages.
Object.assign(WORDS.en, {
  learnPage: "Exercises", classPage: "For the teacher", askPage: "The model", yourName: "Who is learning?", begin: "Begin",
  nameNote: "A name that your teacher gave you, or one of your own. What you try is kept under it, so that you can go on another day.",
  exercise: "Exercise", check: "Check", yourAnswer: "Your answer", hint: "A hint", workedExample: "A worked example", wasIt: "Solve it on paper. Were you right?",
  iWas: "I was right", iWasNot: "I was not", chance: "You will be right with {n} %", isRight: "Right", isWrong: "Not right",
  theAnswer: "The answer is {answer}.", youWrote: "You wrote {written}.", orTry: "Or try:", skills: "What you can do",
  skillsNote: "The share of each skill’s exercises that you would do right now, with the range that holds it nine times of ten where the model is right.",
  nTries: "{n} tries", oneTry: "1 try", noTry: "not tried yet", firstNeeds: "first needs: {skills}", whole: "{n} % of the course", another: "Somebody else",
  why: "Chosen for what it is expected to teach, neither too easy nor too hard.", next: "Next: {exercise}", tried: "{n} tries, {right} % right",
});
Object.assign(WORDS.zh, {
  learnPage: "练习", classPage: "教师页面", askPage: "模型", yourName: "谁在学习？", begin: "开始",
  nameNote: "老师给你的名字，或你自己取的名字。你的练习会保存在这个名字下，改天可以继续。",
  exercise: "练习题", check: "检查", yourAnswer: "你的答案", hint: "提示", workedExample: "例题", wasIt: "请在纸上做。你做对了吗？",
  iWas: "做对了", iWasNot: "没做对", chance: "你做对的可能为 {n}%", isRight: "正确", isWrong: "不对",
  theAnswer: "答案是 {answer}。", youWrote: "你写的是 {written}。", orTry: "也可以做：", skills: "你掌握了什么",
  skillsNote: "每个知识点的题目中你现在能做对的比例；模型成立时，真实值十次中有九次落在区间内。",
  nTries: "{n} 次练习", oneTry: "1 次练习", noTry: "还没有做过", firstNeeds: "先要学会：{skills}", whole: "课程的 {n}%", another: "换一个人",
  why: "按预期的学习效果选出，难度适中。", next: "下一题：{exercise}", tried: "{n} 次练习，做对 {right}%",
});
