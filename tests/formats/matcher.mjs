// What problem matchers find in the lines on stdin, as JSON: matcher.mjs MATCHERS, a JSON list of {severity, pattern}
import { readFileSync } from 'node:fs';

const matchers = JSON.parse(process.argv[2]);
const lines = readFileSync(0, 'utf8').split('\n').filter(Boolean);
const found = lines.map((line) => matchers.flatMap(({ severity, pattern }) => {
  const match = new RegExp(pattern.regexp).exec(line);
  const of = (name) => (pattern[name] === undefined ? undefined : match[pattern[name]]);
  const number = (name) => Number(of(name));
  return match ? [[of('file'), number('line'), number('column'), of('severity') ?? severity, of('code'), of('message')]] : [];
}));
process.stdout.write(JSON.stringify(found));
