// drive.mjs FOLDER VSIX PROGRAM: drives the real VS Code in a real browser, as somebody with a keyboard would. Run in the folder of setup.sh.
// FOLDER has virsh000000.xml and plain.xml, and afterwards: problems.json (what the problems panel shows), hover.txt, quick.xml (what a
// quick fix made), both domains saved with everything fixed, and pictures.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';

const [folder, vsix, program] = process.argv.slice(2).map((name) => path.resolve(name));
const { chromium } = createRequire(path.join(process.cwd(), 'x.js'))('playwright-core');
const entry = path.join(process.cwd(), 'node_modules/code-server/out/node/entry.js');

const data = path.join(folder, '.code');
const own = ['--user-data-dir', data, '--extensions-dir', path.join(data, 'extensions')];
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
// A setting of the machine, where a workspace can't say which program is run.
fs.mkdirSync(path.join(data, 'Machine'), { recursive: true });
fs.writeFileSync(path.join(data, 'Machine/settings.json'), JSON.stringify({ 'gvtg-xml.path': program }));
execFileSync(process.execPath, [entry, ...own, '--install-extension', vsix], { stdio: 'inherit' });

const port = await new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const log = fs.openSync(path.join(folder, 'server.log'), 'w');
const flags = ['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, '--disable-telemetry', '--disable-update-check'];
const server = spawn(process.execPath, [entry, ...own, ...flags], { stdio: ['ignore', log, log] });

async function until(what, condition) {
  for (const end = Date.now() + 60000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const result = await condition();
    if (result) {
      return result;
    }
  }
  throw new Error(`timed out waiting for ${what}`);
}
const answers = () => fetch(`http://127.0.0.1:${port}/healthz`).then((answer) => answer.ok, () => false);
const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');

let browser, page;
try {
  await until('code-server', answers);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  page = await browser.newPage({ viewport: { width: 1200, height: 760 } });
  const { keyboard } = page;
  const picture = (name) => page.screenshot({ path: path.join(folder, `${name}.png`) });
  const pause = (milliseconds) => page.waitForTimeout(milliseconds);

  // A choice from the list that these keys open; the list comes when it has been searched.
  const choose = async (keys, words) => {
    await keyboard.press(keys);
    await page.waitForSelector('.quick-input-widget input', { state: 'visible', timeout: 60000 });
    await pause(500);
    await keyboard.type(words);
    const row = page.locator('.quick-input-list .monaco-list-row.focused', { hasText: words });
    await row.waitFor({ timeout: 60000 });
    await pause(500);
    await keyboard.press('Enter');
    await pause(700);
  };
  const command = (words) => choose('F1', words);
  const goTo = async (line, column) => {
    await keyboard.press('Control+G');
    await pause(700);
    await keyboard.type(`${line}:${column}`);
    await pause(700);
    await keyboard.press('Enter');
    await pause(700);
  };
  const open = async (name) => {
    await choose('Control+P', name);
    await page.waitForSelector(`.tab.active[data-resource-name="${name}"]`, { timeout: 60000 });
  };
  // Saved, when the file on the disk is another one than before.
  const saved = async (name, before) => {
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
  await picture('problems');

  // To the <video>, which a finding is on.
  const line = read('virsh000000.xml').split('\n').findIndex((text) => text.includes('<video>')) + 1;
  await goTo(line, 7);
  await command('Show or Focus Hover');
  const hover = await page.waitForSelector('.monaco-editor .monaco-hover:not(.hidden) .hover-contents', { timeout: 60000 });
  await until('the page', async () => (await page.locator('.monaco-hover:not(.hidden)').allInnerTexts()).join('').includes('stray-video'));
  fs.writeFileSync(path.join(folder, 'hover.txt'), (await page.locator('.monaco-hover:not(.hidden)').allInnerTexts()).join('\n'));
  await picture('hover');
  await hover.dispose();
  await keyboard.press('Escape');
  await keyboard.press('Escape');

  const original = read('virsh000000.xml');
  await keyboard.press('Control+Period');
  await page.waitForSelector('.action-widget', { timeout: 60000 });
  await pause(700);
  await picture('quick-fix');
  await keyboard.press('Enter');
  await pause(1000);
  fs.writeFileSync(path.join(folder, 'quick.xml'), await saved('virsh000000.xml', original));
  await command('Fix All');
  await saved('virsh000000.xml', read('quick.xml'));
  await pause(1500);
  await picture('fixed');

  await open('plain.xml');
  await pause(2000);
  const plain = read('plain.xml');
  await command('Fix this domain for GVT-g');
  await saved('plain.xml', plain);
  await picture('plain');
} catch (error) {
  await page?.screenshot({ path: path.join(folder, 'failed.png') });
  throw error;
} finally {
  await browser?.close();
  server.kill();
}
