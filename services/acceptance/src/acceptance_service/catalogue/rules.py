"""The rule language of the catalogue: small JSON expressions over the answers to a bundle's questions. Pure.

Source: data/catalogue/schema/rules.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Rule = Mapping[str, Any]
Answers = Mapping[str, str | list[str]]
# Which values a question knows, and whether several can be chosen.
Options = Mapping[str, tuple[frozenset[str], bool]]

_LEAVES = ("eq", "in", "has")


def holds(rule: Rule | None, answers: Answers) -> bool:
    """Whether a rule is true for these answers; a missing rule is. What was not answered equals nothing."""
    if rule is None:
        return True
    ((operator, operand),) = rule.items()
    if operator == "all":
        return all(holds(one, answers) for one in operand)
    if operator == "any":
        return any(holds(one, answers) for one in operand)
    if operator == "not":
        return not holds(operand, answers)
    return _leaf_holds(operator, answers.get(operand[0]), operand[1])


def _leaf_holds(operator: str, answer: str | list[str] | None, expected: Any) -> bool:
    match operator:
        case "eq":
            return bool(answer == expected)
        case "in":
            return answer in expected
        case "has":
            return isinstance(answer, list) and expected in answer
    raise ValueError(f"not an operator of the rule language: {operator}")


def faults(rule: object, options: Options) -> Iterator[str]:
    """What is wrong with a rule, given the questions that it may refer to."""
    if not isinstance(rule, dict) or len(rule) != 1:
        yield "a rule is an object with one operator"
        return
    ((operator, operand),) = rule.items()
    if operator in ("all", "any"):
        if not isinstance(operand, list) or not operand:
            yield f"{operator} needs a list of rules"
            return
        for one in operand:
            yield from faults(one, options)
    elif operator == "not":
        yield from faults(operand, options)
    elif operator in _LEAVES:
        yield from _leaf_faults(operator, operand, options)
    else:
        yield f"unknown operator {operator}"


def _leaf_faults(operator: str, operand: object, options: Options) -> Iterator[str]:
    if not isinstance(operand, list) or len(operand) != 2:
        yield f"{operator} needs a question and a value"
        return
    question, value = operand
    if not isinstance(question, str) or question not in options:
        yield f"question {question} is unknown, or asked later"
        return
    known, several = options[question]
    if several is not (operator == "has"):
        yield f"{operator} does not fit the kind of question {question}"
    values = value if operator == "in" else [value]
    if not isinstance(values, list) or not values:
        yield f"{operator} needs a list of values"
        return
    for one in values:
        if not isinstance(one, str) or one not in known:
            yield f"question {question} has no option {one}"
