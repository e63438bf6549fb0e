// What others asked and is worth a look, the least sure first: shown one by one, to be judged at once.
let queued = [], looked = new Set();
async function nextWaiting() {
  try {
    if (!queued.length) {
      const given = await (await send("/v1/queue", null, {method: "GET"})).json();
      queued = given.answers.filter((each) => !looked.has(each.id));
      if (!queued.length) throw new Error(word(given.keeps_inputs ? "noneQueued" : "notKept"));
    }
    const {id, row, value} = queued.shift();
    looked.add(id);
    fillRow(row);
    show({id, row, value, confidence: null, alternatives: [], at: Date.now(), isQueued: true, asking: true});
    $(".verdict button", place)?.scrollIntoView({block: "nearest"});
    speak(word("queue"));
  } catch (error) {
    showTrouble(error);
  }
}
if (facts.queued) $("#clear").before(element("button", {type: "button", class: "second", "data-word": "queue", on: {click: nextWaiting}}));
