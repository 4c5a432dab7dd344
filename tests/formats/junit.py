"""Reads a JUnit file, and prints what junitparser makes of it: junit.py FILE"""

import json
import sys

from junitparser import Failure, JUnitXml

suites = JUnitXml.fromfile(sys.argv[1])
cases = []
for suite in suites:
    for case in suite:
        failures = [result for result in case.result if isinstance(result, Failure)]
        words = [result.text for result in failures] or [case.system_out]
        cases.append([suite.name, case.name, case.classname, len(failures), words[0]])
json.dump({"cases": cases, "suites": [[suite.name, suite.tests, suite.failures] for suite in suites]}, sys.stdout)
