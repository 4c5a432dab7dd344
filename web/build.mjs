// Bundles the page's scripts and writes its pages into dist/; the rules' pages are made from the
// engine's own list of rules. `build` compiles the engine first.

import zopfli from '@gfx/zopfli';
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { initSync, rules } from './target/engine.js';
import { page } from './pages/frame.mjs';
import { listPage, rulePage } from './pages/rules.mjs';

const bundleOptions = { bundle: true, minify: true, format: 'iife', target: ['chrome115', 'firefox115', 'safari16.4'], charset: 'utf8', metafile: true };
const wasm = readFileSync('target/engine_bg.wasm');

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist/rules', { recursive: true });

// The page creates the worker from this text: a worker loaded from a URL would not inherit the
// page's Content-Security-Policy.
const worker = await build({ ...bundleOptions, entryPoints: ['src/worker.js'], write: false, define: { 'import.meta.url': '"engine"' } });
const engine = { script: worker.outputFiles[0].text, wasm: Buffer.from(await zopfli.gzipAsync(wasm, { numiterations: 5 })).toString('base64') };
writeFileSync('dist/engine.js', `globalThis.gvtgEngine=${JSON.stringify(engine)};\n`);

const scripts = await build({ ...bundleOptions, entryPoints: ['src/main.js', 'src/explain.js', 'src/rules.js'], outdir: 'dist' });
await build({ entryPoints: ['style.css'], minify: true, outdir: 'dist' });
cpSync('icon.svg', 'dist/icon.svg');

const example = readFileSync('../fixtures/win10-virt-manager.xml', 'utf8');
writeFileSync('dist/example.js', `globalThis.gvtgPage=${JSON.stringify({ example })};\n`);
writeFileSync('dist/index.html', page({
  title: 'gvtg-xml: check a VM’s XML for Intel GVT-g', here: 'index.html', body: readFileSync('pages/index.html', 'utf8'), scripts: ['engine.js', 'example.js', 'main.js'],
  description: 'Checks and fixes libvirt domain XML for an Intel GVT-g vGPU, in the browser.',
}));
writeFileSync('dist/explain.html', page({
  title: 'Explain a message: gvtg-xml', here: 'explain.html', body: readFileSync('pages/explain.html', 'utf8'), scripts: ['engine.js', 'explain.js'],
  description: 'What error messages of libvirt, QEMU and the kernel mean for a VM with an Intel GVT-g vGPU, and what to do.',
}));
initSync({ module: wasm });
// The engine is built without the rules' examples, so they are read from the rule files.
const examples = ({ id, group }) => (parse(readFileSync(`../rules/${group === 'host' ? 'host/' : ''}${id}.toml`, 'utf8')).example ?? []).filter(({ bad }) => bad);
const allRules = JSON.parse(rules()).map((rule) => ({ ...rule, examples: examples(rule) }));
writeFileSync('dist/rules/index.html', listPage(allRules));
for (const rule of allRules) {
  writeFileSync(`dist/rules/${rule.id}.html`, rulePage(rule, allRules));
}

// The licenses of the bundled npm packages and of the crates linked into the engine.
const inputs = [worker, scripts].flatMap(({ metafile }) => Object.keys(metafile.inputs));
const folders = new Set(inputs.map((path) => path.match(/^.*node_modules\/((@[^/]+\/)?[^/]+)/)?.[0]).filter(Boolean));
const notices = [...folders].sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const license = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  if (license === undefined) {
    throw new Error(`${name} has no license file`);
  }
  return `${name} ${version}\n\n${readFileSync(`${folder}/${license}`, 'utf8').trim()}\n`;
});
const engineNotices = execFileSync('../packaging/notices', ['engine/Cargo.toml', 'wasm32-unknown-unknown'], { encoding: 'utf8' });
writeFileSync('dist/licenses.txt', [...notices, engineNotices].join(`\n${'-'.repeat(80)}\n\n`));
