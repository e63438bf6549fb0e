"""`/docs`: the description of the service for people, as `/openapi.json` has it. No script, nothing from elsewhere."""

import json
from typing import Any

from windlass.pages.text import bilingual
from windlass.pages.text.bilingual import both
from windlass.pages.text.words import escaped
from windlass.records import Json
from windlass.serving.contract.routes import ROUTES
from windlass.serving.ui import page

GROUPS = {
    "product": ("This product", "本产品"),
    "openai": ("OpenAI's interface", "OpenAI 接口"),
    "huggingface": ("Hugging Face's interface", "Hugging Face 接口"),
    "kserve": ("Open Inference Protocol (KServe, Triton)", "开放推理协议（KServe、Triton）"),
    "state": ("State", "状态"),
}
CHINESE = {
    "Answer many rows, behind live requests": "在实时请求之后批量回答许多行",
    "Answer one row or several": "回答一行或多行",
    "Answers that are worth a correction": "值得更正的回答",
    "Counts for Prometheus": "供 Prometheus 读取的计数",
    "Does it run at all": "服务是否在运行",
    "Find passages": "查找段落",
    "Forget an answer, what was asked, and its feedback": "删除一个回答、所问内容及其反馈",
    "Has it proven its release": "是否已验证其发布版本",
    "How far a job is": "任务进度",
    "Is it ready, and what does it serve": "是否就绪，提供什么服务",
    "Refused questions that wait for a person": "等待人工处理的未回答问题",
    "Rows to try the release with": "可用来试用的行",
    "Say what an answer should have been": "说明正确的回答应是什么",
    "Say what is right, and publish it": "说明什么是正确的并发布",
    "Say why a row is answered so": "说明为什么这样回答",
    "Sign in on a page": "在页面上登录",
    "Sign out": "退出登录",
    "Stop a job and forget its rows and answers": "停止任务，并删除其行与回答",
    "The answers of a job that is done": "已完成任务的回答",
    "The releases, and which one serves": "各发布版本，以及当前提供服务的版本",
    "The last answers and what people said of them, as CSV": "最近的回答及反馈，CSV 格式",
    "The last answers and what people said of them, as XLSX": "最近的回答及反馈，XLSX 格式",
    "The leaderboard, as CSV": "排行榜，CSV 格式",
    "The leaderboard, as XLSX": "排行榜，XLSX 格式",
    "What to do next, as `windlass plan` said last": "下一步做什么：`windlass plan` 最近一次的结果",
    "Who has signed in on this browser": "此浏览器中登录的是谁",
    "Answer a conversation, as OpenAI's interface has it": "回答一段对话（OpenAI 接口）",
    "Answer a text, as OpenAI's interface has it": "回答一段文本（OpenAI 接口）",
    "Texts as vectors, as OpenAI's interface has it": "文本向量（OpenAI 接口）",
    "The product, as OpenAI's interface lists models": "列出本产品（OpenAI 接口的模型列表）",
    "The product or its release, as OpenAI's interface names a model": "本产品或其发布版本（OpenAI 接口的模型）",
    "Answer a question out of documents": "根据文档回答问题",
    "What the model reads and gives, as KServe has it": "模型的输入与输出（KServe）",
    "Answer tensors, as KServe has it": "回答张量（KServe）",
    "Who serves, as KServe has it": "由谁提供服务（KServe）",
    "Does it run, as KServe has it": "是否在运行（KServe）",
    "Can it answer, as KServe has it": "能否回答（KServe）",
    "Can the model answer, as KServe has it": "模型能否回答（KServe）",
    "Answer inputs, as Hugging Face's Inference API has it": "回答输入（Hugging Face 推理接口）",
}
"""Summary of a route -> the same in Chinese."""
STYLE = (
    page.asset("plain.css")
    + bilingual.STYLE
    + """
main { max-width: 860px; box-sizing: border-box; overflow-wrap: anywhere; margin: 0 auto; padding: 20px; }
details { border-top: 1px solid #8884; padding: 8px 0; } summary { cursor: pointer; }
code { font: 13px ui-monospace, monospace; } pre { overflow-x: auto; padding: 10px; background: #8881; }
.scope { float: right; font-size: 13px; opacity: .75; }
"""
)


def docs_page(described: Json) -> bytes:
    """The page of a description as `openapi.describe` gives it."""
    info, groups = described["info"], dict[str, list[str]]()
    for path, methods in sorted(described["paths"].items()):
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(path, method.upper(), operation, described))
    parts = [f"<h2>{both(*GROUPS[tag])}</h2>{''.join(groups[tag])}" for tag in GROUPS if tag in groups]
    keys = both(
        "Once there is a key, each request sends one: `Authorization: Bearer ...`. For generators: ",
        "一旦有了密钥，每个请求都要带上：`Authorization: Bearer ...`。供代码生成器使用：",
    )
    read = info["description"].removeprefix("Answers ").rstrip(".")
    target, _, inputs = read.partition(" from ")
    told = both(info["description"], f"根据 {inputs} 回答 {target}。")
    head = f"<h1>{escaped(info['title'])}</h1><p>{told}</p>"
    body = f'{head}<p>{keys}<a href="openapi.json">/openapi.json</a></p>{"".join(parts)}'
    return page.document(f"{escaped(info['title'])}: API", bilingual.main(body), STYLE, "")


def docs_policy() -> str:
    return page.policy(STYLE, "")


def _operation(path: str, method: str, operation: Json, described: Json) -> str:
    scope = ROUTES[method, path].scope
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    shown = _shown("Asked", "请求", _example(asked, described)) if asked else ""
    given = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
    shown += _shown("Answered", "回答", _fields(given, described)) if given else ""
    curl = f"curl {'' if method == 'GET' else f'-X {method} '}http://HOST{path}"
    curl += " -H 'Content-Type: application/json' -d '...'" if asked else ""
    said = f"<code><b>{method}</b> {escaped(path)}</code> {escaped(operation.get('summary', ''))}"
    right = both("for everybody", "公开") if scope == "public" else both(f"scope {scope}", f"权限 {scope}")
    head = f'<summary>{said} <span class="scope">{right}</span></summary>'
    return f"<details>{head}{shown}<pre>{escaped(curl)}</pre></details>"


def _shown(english: str, chinese: str, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return f"<p>{both(english, chinese)}</p><pre>{escaped(text)}</pre>"


def _resolved(schema: Json, described: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    return described["components"]["schemas"][name] if name else schema


def _example(schema: Json, described: Json) -> Any:
    found = _resolved(schema, described)
    return found["examples"][0] if found.get("examples") else _fields(found, described)


def _fields(schema: Json, described: Json, level: int = 0) -> Any:
    """What stands in an object: each field with what it is."""
    found = _resolved(schema, described)
    if level < 4 and found.get("type") == "array":
        return [_fields(found.get("items", {}), described, level + 1)]
    if level < 4 and "properties" in found:
        return {name: _fields(each, described, level + 1) for name, each in found["properties"].items()}
    kinds = [str(each.get("type", "value")) for each in found.get("anyOf", [found])]
    return f"{' or '.join(kinds)}{'; ' + found['description'] if 'description' in found else ''}"
