"""Checks SARIF files against the schema: sarif.py SCHEMA FILE..."""

import json
import sys

from jsonschema import Draft4Validator, FormatChecker

with open(sys.argv[1]) as file:
    schema = json.load(file)
checker = FormatChecker()
# Without a package of its own it would let all URIs pass.
assert not checker.conforms("a b", "uri-reference")
validator = Draft4Validator(schema, format_checker=checker)
faults = 0
for name in sys.argv[2:]:
    with open(name) as file:
        document = json.load(file)
    for error in validator.iter_errors(document):
        faults += 1
        print(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
    run = document["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
            faults += 1
            print(f"{name}: {result['ruleId']} has another rule's index")
print(f"{len(sys.argv) - 2} files, {faults} faults")
sys.exit(1 if faults else 0)
