"""Scenario guidance 情形引导: which questions the answers lead to, and whether the answers fit. Pure.

Source: data/catalogue/schema/rules.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from acceptance_service.bundles.domain import Answers
from acceptance_service.catalogue.bundle_definition import Question
from acceptance_service.catalogue.rules import holds
from service_common.errors import FieldProblem, Invalid


class BadAnswers(Invalid):
    """Answers that do not fit the questions."""

    code = "bad_answers"
    zh = "情形引导的回答有误，请检查 errors 中列出的问题。"
    en = "Some answers do not fit the questions, see `errors`."


@dataclass(frozen=True, slots=True)
class Path:
    """The way through the questions that some answers take."""

    answers: dict[str, str | list[str]]
    asked: tuple[Question, ...]

    @property
    def unanswered(self) -> tuple[str, ...]:
        return tuple(one.code for one in self.asked if one.code not in self.answers)


def follow(questions: Sequence[Question], answers: Answers) -> Path:
    """Walks the questions in their order. Raises: BadAnswers with a pointer to each answer that does not fit."""
    problems = [
        _problem(code, "unknown_question", "没有这个问题", "there is no such question")
        for code in sorted(answers.keys() - {one.code for one in questions})
    ]
    settled: dict[str, str | list[str]] = {}
    asked = []
    for question in questions:
        given = answers.get(question.code)
        if not holds(question.when, settled):
            if given is not None:
                problems.append(
                    _problem(
                        question.code,
                        "question_not_asked",
                        "按前面的回答，不会问到这个问题",
                        "the other answers do not lead to this question",
                    )
                )
            continue
        asked.append(question)
        if given is None:
            continue
        found = list(_answer_problems(question, given))
        problems += found
        if not found:
            settled[question.code] = given if isinstance(given, str) else _in_order(question, given)
    if problems:
        raise BadAnswers(fields=problems)
    return Path(settled, tuple(asked))


def unlisted(questions: Sequence[Question], answers: Answers) -> Answers:
    """Answers that come from a query string, where every value is a list: single choices without it."""
    single = {one.code for one in questions if one.kind == "single"}
    return {
        code: given[0] if code in single and isinstance(given, list) and len(given) == 1 else given
        for code, given in answers.items()
    }


def _in_order(question: Question, chosen: Sequence[str]) -> list[str]:
    return [one.value for one in question.options if one.value in chosen]


def _answer_problems(question: Question, given: str | list[str]) -> Iterator[FieldProblem]:
    code = question.code
    if question.kind == "single":
        if not isinstance(given, str):
            yield _problem(code, "one_answer", "此题只能选择一项", "exactly one option can be chosen")
        elif given not in question.values:
            yield _problem(code, "unknown_option", f"没有选项 {given}", f"there is no option {given}")
        return
    if isinstance(given, str):
        yield _problem(code, "several_answers", "此题的回答应为列表", "the answer is a list of options")
        return
    for one in given:
        if one not in question.values:
            yield _problem(code, "unknown_option", f"没有选项 {one}", f"there is no option {one}")
    if len(set(given)) != len(given):
        yield _problem(code, "repeated_option", "选项重复", "an option stands there twice")
    if len(given) < question.min_choices:
        yield _problem(
            code,
            "too_few_options",
            f"至少选择 {question.min_choices} 项",
            f"at least {question.min_choices} options are needed",
        )


def _problem(question: str, code: str, zh: str, en: str) -> FieldProblem:
    return FieldProblem(
        f"/answers/{question}", code, f"问题 {question}：{zh}。", f"question {question}: {en}"
    )
