"""The results as one HTML page that needs nothing else: verdict, table by section, failures with their octets."""

from collections.abc import Iterator
from html import escape

from cabinwatch.verify.conform.report import decoded, sections, verdict
from cabinwatch.verify.conform.runner import CaseVerdict, Result, SuiteRun

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { border: 1px solid #bbb; padding: .2rem .6rem; text-align: left; vertical-align: top;
         overflow-wrap: break-word; }
@media (max-width: 40rem) { body { margin: .5rem auto; padding: 0 .5rem; font-size: 14px; }
                            td, th { padding: .1rem .25rem; } }
td.n { text-align: right; }
.fail { color: #a00000; font-weight: bold; } .pass { color: #006000; }
pre { background: #f3f3f3; padding: .6rem; overflow-x: auto; font-size: 13px; }
blockquote { border-left: 4px solid #bbb; margin: .5rem 0; padding-left: 1rem; }
"""


def page(done: SuiteRun) -> str:
    """The whole page."""
    title = escape(f"Conformance of {done.target} as {done.role}")
    head = (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="description" content="{title}"><style>{STYLE}</style>'
    )
    good = not (done.exit_code or done.error)
    body = [f"<h1>{title}</h1>", f'<p class="{"pass" if good else "fail"}">{escape(verdict(done))}</p>']
    body.append(
        f"<p>SPEC.md {escape(done.spec)}, exit code {done.exit_code}, {done.began:%Y-%m-%d %H:%M} UTC</p>"
    )
    if done.hint:
        body.append(f"<p>{escape(done.hint)}</p>")
    if done.stopped:
        body.append(f"<pre>{escape(done.stopped)}</pre>")
    body += _table(done)
    failures = [r for r in done.results if r.verdict is CaseVerdict.FAIL]
    body += [f"<h2>{len(failures)} failures</h2>"] if failures else []
    for result in failures:
        body += _failure(result, done)
    body += _cases(done)
    return "\n".join([head, *body, "</html>", ""])


def _table(done: SuiteRun) -> Iterator[str]:
    """How many passed and failed, by section of the specification."""
    names = "".join(f"<th>{v.value}</th>" for v in CaseVerdict)
    yield f"<table><tr><th>section of SPEC.md</th>{names}</tr>"
    for section, counts in sections(done):
        cells = "".join(f'<td class="n">{counts[v] or ""}</td>' for v in CaseVerdict)
        yield f"<tr><td>{escape(section)}</td>{cells}</tr>"
    yield "</table>"


def _failure(result: Result, done: SuiteRun) -> Iterator[str]:
    """A failure in full."""
    r = result.case.requirement
    word = "" if done.counts(result) else " (a recommendation)"
    yield f'<h3 id="{escape(result.case.id)}" class="fail">{escape(result.case.id)}{word}</h3>'
    yield f"<p>{escape(result.case.text)}</p>"
    yield f"<blockquote>SPEC.md {escape(r.section)}: [{r.id}] {escape(r.text)}</blockquote>"
    yield f"<table><tr><th>expected</th><td>{escape(result.expected)}</td></tr>"
    yield f"<tr><th>got</th><td>{escape(result.got)}</td></tr></table>"
    yield f"<pre>{escape(chr(10).join(decoded(result.log)))}</pre>"


def _cases(done: SuiteRun) -> Iterator[str]:
    """Every case, one line each."""
    yield "<h2>All cases</h2><table><tr><th>case</th><th>verdict</th><th>what it tries</th><th>s</th></tr>"
    for r in done.results:
        name = escape(r.case.id)
        name = f'<a href="#{name}">{name}</a>' if r.verdict is CaseVerdict.FAIL else name
        words = escape(r.case.text + (f" ({r.reason})" if r.reason else ""))
        yield f'<tr><td>{name}</td><td class="{r.verdict.value}">{r.verdict.value}</td>'
        yield f'<td>{words}</td><td class="n">{r.seconds:.2f}</td></tr>'
    yield "</table>"
