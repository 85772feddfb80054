"""Fills the counts of a report, and its notes on what is not published and what is not set."""

from __future__ import annotations

from newsgen import hosts
from newsgen.builder.options import Options
from newsgen.builder.report import Report
from newsgen.library import GATE_REASONS, GATES, Library


def summarise(report: Report, library: Library, options: Options) -> None:
    """Fills the counts of the report, with a note for each gate that keeps articles out and how to show them."""
    report.timezone = library.config.timezone
    facts = library.facts
    report.articles = sum(facts.gates.values())
    report.published = facts.published
    report.coverage = facts.coverage
    report.stories = facts.stories
    report.skipped = {g: facts.gates[g] for g in (*GATES, "blocked") if g in facts.gates and g not in options.show}
    report.folded = facts.folded if "held" in report.skipped else 0
    flags = {"held": "--unpublished", "draft": "--drafts", "future": "--future", "expired": "--expired"}
    verbs = {
        "draft": ("is a draft", "are drafts"),
        "future": ("is scheduled", "are scheduled"),
        "expired": ("has expired", "have expired"),
    }
    for closed_gate, count in report.skipped.items():
        subject = "1 article" if count == 1 else f"{count:,} articles"
        verb = verbs.get(closed_gate, (f"is {closed_gate}", f"are {closed_gate}"))[count != 1]
        if closed_gate == "blocked":
            others = ", or left out by a plugin" if library.config.plugins else ""
            report.notes.append(f"{subject} {verb} by the [block] table in site.toml{others}")
            continue
        folded = (
            f", {report.folded:,} folded into another story (heat below 0)"
            if closed_gate == "held" and report.folded
            else ""
        )
        report.notes.append(
            f"{subject} {verb} ({GATE_REASONS[closed_gate]}){folded};"
            f" show {'it' if count == 1 else 'them'} with {flags[closed_gate]}"
        )
    if report.articles and not report.published:
        hidden = " ".join(flags[g] for g in report.skipped if g in flags)
        report.notes.append(
            f"nothing is published yet{f'; to see all articles, build or serve with {hidden}' if hidden else ''}"
        )
    elif not report.articles and not report.problems:
        report.notes.append("nothing is published yet: there are no articles; create one with `newsgen new article`")
    if not library.config.base_url:
        report.notes.append(
            "feeds, sitemaps and canonical links are left out; set base_url in site.toml,"
            ' such as base_url = "https://example.org/"'
        )
    elif library.config.host is None and (host := hosts.at(library.config.base_url)):
        title = hosts.HOSTS[host].title
        report.notes.append(
            f'base_url is at {title}; set host = "{host}" in site.toml, so that the site keeps to its limits'
        )
