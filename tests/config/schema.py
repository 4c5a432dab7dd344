"""Whether TOML files are what a JSON schema says: a line "NAME ok" or "NAME MESSAGE" for each."""

import json
import pathlib
import sys
import tomllib

import jsonschema

schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for name in sys.argv[2:]:
    errors = sorted(validator.iter_errors(tomllib.loads(pathlib.Path(name).read_text())), key=str)
    print(pathlib.Path(name).name, errors[0].message.replace("\n", " ") if errors else "ok")
