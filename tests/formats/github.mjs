// Reads workflow commands as GitHub's runner does, and writes them again with GitHub's own package: github.mjs FOLDER < commands
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const core = await import(pathToFileURL(`${process.argv[2]}/node_modules/@actions/core/lib/core.js`).href);
const unescape = (text, pairs) => pairs.reduce((text, [code, character]) => text.replaceAll(code, character), text);
const DATA = [['%0D', '\r'], ['%0A', '\n'], ['%25', '%']];
const PROPERTY = [['%3A', ':'], ['%2C', ','], ...DATA];
const number = (text) => (text === undefined ? undefined : Number(text));
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const [, command, properties, message] = /^::(\w+) ([^:]*)::(.*)$/u.exec(line);
  const of = Object.fromEntries(properties.split(',').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), unescape(pair.slice(at + 1), PROPERTY)];
  }));
  core[command](unescape(message, DATA), {
    title: of.title, file: of.file, startLine: number(of.line), endLine: number(of.endLine),
    startColumn: number(of.col), endColumn: number(of.endColumn),
  });
}
