// A real Chromium with the built page, served from this machine, and the program that it is compared with.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain' };
const program = process.env.GVTG_XML ?? resolve('../target/debug/gvtg-xml');

/** The folder of what is built. */
export const dist = resolve('dist');

/** The folder for pictures. */
export const pictures = resolve('target/pictures');

/** The documents that come with the project, by name. */
export const fixtures = Object.fromEntries(readdirSync('../fixtures').filter((name) => name.endsWith('.xml')).sort()
  .map((name) => [name, readFileSync(join('../fixtures', name), 'utf8')]));

/** Serves a folder; gives the address and what closes it. */
export async function serve(folder = dist) {
  const server = createServer((request, response) => {
    const path = join(folder, decodeURI(request.url.split('?')[0]));
    try {
      response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
      response.end(readFileSync(path));
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** A browser that starts no errand of its own. */
export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** A page of its own; `close` fails the test with what went wrong in it. */
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({ permissions: address.startsWith('http') ? ['clipboard-read', 'clipboard-write'] : [], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error.stack)));
  page.on('console', (message) => message.type() === 'error' && page.faults.push(message.text()));
  await page.goto(address);
  return page;
}

/** Closes a page in which nothing may have gone wrong. */
export async function close(page) {
  await page.context().close();
  assert.deepEqual(page.faults, []);
}

/** Puts a text on the clipboard and pastes it over all that is in the editor, as somebody with a keyboard does. */
export async function paste(page, text) {
  await page.evaluate((words) => navigator.clipboard.writeText(words), text);
  await page.click('#tab-editor');
  await page.locator('#editor .cm-content').focus();
  await page.keyboard.press('Control+A');
  await expectCheck(page);
  await page.keyboard.press('Control+V');
  await checked(page);
}

/** Opens a file of these bytes. */
export async function openFile(page, name, bytes) {
  await expectCheck(page);
  await page.locator('#file').setInputFiles({ name, mimeType: 'application/xml', buffer: Buffer.from(bytes) });
  await checked(page);
}

/** What the browser does by and by is not over before it began: the page is busy from now on, until the check that comes of it. */
export const expectCheck = (page) => page.evaluate(() => { document.getElementById('findings').ariaBusy = 'true'; });

/** Waits until what is in the editor has been looked at. */
export const checked = (page) => page.waitForFunction(() => document.getElementById('findings').ariaBusy === 'false');

/** Chooses a tab and waits for its content: the engine answers with the host's files some time after the click. */
export async function showTab(page, tab) {
  await page.click(`#tab-${tab}`);
  await page.locator({ editor: '#editor .cm-line', changes: '#changes .cm-line', files: '.file' }[tab]).first().waitFor();
}

/** The lines that the changes show as removed; there must be some. */
export async function deletedLines(page) {
  await page.locator('.cm-deletedLine').first().waitFor();
  return page.$$eval('.cm-deletedLine', (lines) => lines.map((line) => line.textContent.trim()));
}

/** What a button has the browser save. */
export async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
}

/** What the command line makes of a text on its stdin. */
export function run(args, input) {
  const environment = { ...process.env };
  // The display of whoever runs the tests is no matter of a page's.
  delete environment.DISPLAY;
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, env: environment, cwd: mkdtempSync(join(tmpdir(), 'web-')), encoding: 'utf8' });
  // A command that reads no stdin closes it.
  if (error && error.code !== 'EPIPE') {
    throw error;
  }
  return { status, stdout, stderr };
}

// Where it is missing, that is said at once.
execFileSync(program, ['--version']);
