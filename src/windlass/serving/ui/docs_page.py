"""`/docs`: the description of the service for people, as `/openapi.json` has it. No script, nothing from elsewhere."""

import json
from typing import Any

from windlass.language.chosen import spoken
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
    head = f"<h1>{escaped(info['title'])}</h1><p>{escaped(info['description'])}</p>"
    body = f'{head}<p>{keys}<a href="openapi.json">/openapi.json</a></p>{"".join(parts)}'
    whole = page.document(f"{escaped(info['title'])}: API", bilingual.main(body), STYLE, "").decode("utf-8")
    return bilingual.served(whole, spoken()).encode("utf-8")


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
