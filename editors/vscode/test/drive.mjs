// drive.mjs FOLDER VSIX PROGRAM: drives the real VS Code in a real browser with the keyboard. Run
// in the folder that setup.sh fills ($LAB/vscode). FOLDER has virsh000000.xml and plain.xml. The
// script writes problems.json (the rows of the problems panel), hover.txt, quick.xml (the result of
// a quick fix) and screenshots there, and saves both domains with everything fixed.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';

const [folder, vsix, program] = process.argv.slice(2).map((name) => path.resolve(name));
const { chromium } = createRequire(path.join(process.cwd(), 'x.js'))('playwright-core');
const entry = path.join(process.cwd(), 'node_modules/code-server/out/node/entry.js');

const data = path.join(folder, '.code');
const dataFlags = ['--user-data-dir', data, '--extensions-dir', path.join(data, 'extensions')];
fs.mkdirSync(path.join(data, 'User'), { recursive: true });
fs.writeFileSync(path.join(data, 'User/settings.json'), JSON.stringify({
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'window.restoreWindows': 'none',
  'files.exclude': { '.code': true, '*.png': true, 'gvtg-xml': true, '*.json': true, '*.txt': true, '*.log': true },
  'git.enabled': false,
  'editor.minimap.enabled': false,
  'chat.commandCenter.enabled': false,
}));
// A machine setting: a workspace cannot change which program is run.
fs.mkdirSync(path.join(data, 'Machine'), { recursive: true });
fs.writeFileSync(path.join(data, 'Machine/settings.json'), JSON.stringify({ 'gvtg-xml.path': program }));
execFileSync(process.execPath, [entry, ...dataFlags, '--install-extension', vsix], { stdio: 'inherit' });

const port = await new Promise((resolve) => {
  const listener = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = listener.address();
    listener.close(() => resolve(port));
  });
});
const log = fs.openSync(path.join(folder, 'server.log'), 'w');
const flags = ['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, '--disable-telemetry', '--disable-update-check'];
const server = spawn(process.execPath, [entry, ...dataFlags, ...flags], { stdio: ['ignore', log, log] });

async function until(description, condition) {
  for (const end = Date.now() + 60000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const result = await condition();
    if (result) {
      return result;
    }
  }
  throw new Error(`timed out waiting for ${description}`);
}
const isReady = () => fetch(`http://127.0.0.1:${port}/healthz`).then((answer) => answer.ok, () => false);
const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');

let browser, page;
try {
  await until('code-server', isReady);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  page = await browser.newPage({ viewport: { width: 1200, height: 760 } });
  const { keyboard } = page;
  const screenshot = (name) => page.screenshot({ path: path.join(folder, `${name}.png`) });
  const pause = (milliseconds) => page.waitForTimeout(milliseconds);

  // Opens a quick pick with these keys and selects the entry with this text, once it is listed.
  const pick = async (keys, label) => {
    await keyboard.press(keys);
    await page.waitForSelector('.quick-input-widget input', { state: 'visible', timeout: 60000 });
    await pause(500);
    await keyboard.type(label);
    const row = page.locator('.quick-input-list .monaco-list-row.focused', { hasText: label });
    await row.waitFor({ timeout: 60000 });
    await pause(500);
    await keyboard.press('Enter');
    await pause(700);
  };
  const runCommand = (label) => pick('F1', label);
  const goTo = async (line, column) => {
    await keyboard.press('Control+G');
    await pause(700);
    await keyboard.type(`${line}:${column}`);
    await pause(700);
    await keyboard.press('Enter');
    await pause(700);
  };
  const open = async (name) => {
    await pick('Control+P', name);
    await page.waitForSelector(`.tab.active[data-resource-name="${name}"]`, { timeout: 60000 });
  };
  // Saves until the file on disk differs from `before`, and returns the new text.
  const save = async (name, before) => {
    await until(`${name} to be saved`, async () => {
      await keyboard.press('Control+S');
      await pause(500);
      return read(name) !== before;
    });
    return read(name);
  };
  const problems = () => page.locator('.markers-panel .monaco-list-row').evaluateAll((rows) =>
    rows.map((row) => row.innerText.replace(/\s+/g, ' ').trim()).filter((text) => /\[Ln \d+, Col \d+\]$/.test(text)));

  await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`);
  await page.waitForSelector('.monaco-workbench', { timeout: 60000 });
  await pause(3000);
  await open('virsh000000.xml');

  await keyboard.press('Control+Shift+M');
  await until('problems', async () => (await problems()).length > 0);
  await pause(1000);
  fs.writeFileSync(path.join(folder, 'problems.json'), JSON.stringify(await problems()));
  await screenshot('problems');

  // Go to the <video>, which has a finding.
  const line = read('virsh000000.xml').split('\n').findIndex((text) => text.includes('<video>')) + 1;
  await goTo(line, 7);
  await runCommand('Show or Focus Hover');
  const hover = await page.waitForSelector('.monaco-editor .monaco-hover:not(.hidden) .hover-contents', { timeout: 60000 });
  await until('the page', async () => (await page.locator('.monaco-hover:not(.hidden)').allInnerTexts()).join('').includes('stray-video'));
  fs.writeFileSync(path.join(folder, 'hover.txt'), (await page.locator('.monaco-hover:not(.hidden)').allInnerTexts()).join('\n'));
  await screenshot('hover');
  await hover.dispose();
  await keyboard.press('Escape');
  await keyboard.press('Escape');

  const original = read('virsh000000.xml');
  await keyboard.press('Control+Period');
  await page.waitForSelector('.action-widget', { timeout: 60000 });
  await pause(700);
  await screenshot('quick-fix');
  await keyboard.press('Enter');
  await pause(1000);
  fs.writeFileSync(path.join(folder, 'quick.xml'), await save('virsh000000.xml', original));
  await runCommand('Fix All');
  await save('virsh000000.xml', read('quick.xml'));
  await pause(1500);
  await screenshot('fixed');

  await open('plain.xml');
  await pause(2000);
  const plain = read('plain.xml');
  await runCommand('Fix this domain for GVT-g');
  await save('plain.xml', plain);
  await screenshot('plain');
} catch (error) {
  await page?.screenshot({ path: path.join(folder, 'failed.png') });
  throw error;
} finally {
  await browser?.close();
  server.kill();
}
