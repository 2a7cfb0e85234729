# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on a fleet as JUnit's XML: a test suite for each provider, a test case for each member."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from xml.etree import ElementTree

from .._common.texts import one_line
from .report import Finding, Report

# Characters that XML 1.0 doesn't allow, not even escaped. https://www.w3.org/TR/xml/#charsets
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(report: Report) -> str:
    """The report for CI servers: the case of a failing member is a failure, or an error if it could not be read.

    The cases of all failing members fail, even where the rule allows that many. Each problem is a case of the suite
    ``check``, so that a fleet that could not be seen isn't an empty success.
    """
    root = ElementTree.Element("testsuites", {"name": _text(report.title)} | _counts(report.findings, report.problems))
    if report.problems:
        timestamp = {"timestamp": report.generated_at.rstrip("Z")}
        suite = ElementTree.SubElement(root, "testsuite", {"name": "check"} | timestamp | _counts((), report.problems))
        for problem in map(_text, report.problems):
            case = ElementTree.SubElement(suite, "testcase", classname="fleet.check", name=problem, time="0")
            ElementTree.SubElement(case, "error", type="unseen", message=problem).text = problem
    for provider, group in itertools.groupby(report.findings, key=lambda finding: finding.member.provider):
        findings = list(group)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            {"name": _text(provider), "timestamp": report.generated_at.rstrip("Z")} | _counts(findings),
        )
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in (("rule", report.rule.words()), ("passed", str(not report.violations()).lower())):
            ElementTree.SubElement(properties, "property", name=name, value=_text(value))
        for finding in findings:
            _add_case(suite, finding)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add_case(suite: ElementTree.Element, finding: Finding) -> None:
    member = finding.member
    case = ElementTree.SubElement(
        suite, "testcase", classname=_text(f"fleet.{member.provider}"), name=_text(member.label), time="0"
    )
    if finding.failing:
        kind = "error" if "unreadable" in finding.failing else "failure"
        line = _text(finding.line)
        ElementTree.SubElement(case, kind, type=_text("+".join(finding.failing)), message=line).text = line


def _counts(findings: Sequence[Finding], problems: Sequence[str] = ()) -> dict[str, str]:
    unreadable = sum("unreadable" in finding.failing for finding in findings)
    return {
        "tests": str(len(findings) + len(problems)),
        "failures": str(sum(bool(finding.failing) for finding in findings) - unreadable),
        "errors": str(unreadable + len(problems)),
        "skipped": "0",
        "time": "0",
    }


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", one_line(text))
