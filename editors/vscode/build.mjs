// Bundles the extension into dist/extension.js and writes the licenses of the bundled packages to
// dist/licenses.txt.

import { build } from 'esbuild';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const { metafile } = await build({
  entryPoints: ['src/extension.ts'],
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  minify: true,
  metafile: true,
  outfile: 'dist/extension.js',
});

const packages = Object.keys(metafile.inputs).map((path) => path.match(/^.*node_modules\/((@[^/]+\/)?[^/]+)/)?.[0]);
const notices = [...new Set(packages)].filter((folder) => folder !== undefined).sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const license = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  if (license === undefined || !existsSync(`${folder}/${license}`)) {
    throw new Error(`${name} has no license file`);
  }
  return `${name} ${version}\n\n${readFileSync(`${folder}/${license}`, 'utf8').trim()}\n`;
});
writeFileSync('dist/licenses.txt', notices.join(`\n${'-'.repeat(80)}\n\n`));
