// Test helpers: a real Chromium, a local server for the built page, and the program that the page's
// results are compared with.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain' };
const program = process.env.GVTG_XML ?? resolve('../target/debug/gvtg-xml');

/** The folder with the built page. */
export const dist = resolve('dist');

/** The folder for screenshots. */
export const pictures = resolve('target/pictures');

/** The text of each file in fixtures/, by file name. */
export const fixtures = Object.fromEntries(readdirSync('../fixtures').filter((name) => name.endsWith('.xml')).sort()
  .map((name) => [name, readFileSync(join('../fixtures', name), 'utf8')]));

/** Serves a folder; returns the server's URL and a function that closes it. */
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

/** Launches a browser that makes no requests of its own. */
export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** Opens a page in a new context and collects its errors, for which `close` fails the test. */
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

/** Closes a page and fails the test if there were errors in it. */
export async function close(page) {
  await page.context().close();
  assert.deepEqual(page.faults, []);
}

/** Copies a text to the clipboard and pastes it over the editor's content with the keyboard. */
export async function paste(page, text) {
  await page.evaluate((content) => navigator.clipboard.writeText(content), text);
  await page.click('#tab-editor');
  await page.locator('#editor .cm-content').focus();
  await page.keyboard.press('Control+A');
  await expectCheck(page);
  await page.keyboard.press('Control+V');
  await checked(page);
}

/** Opens a file with these bytes. */
export async function openFile(page, name, bytes) {
  await expectCheck(page);
  await page.locator('#file').setInputFiles({ name, mimeType: 'application/xml', buffer: Buffer.from(bytes) });
  await checked(page);
}

/** Marks the page as busy, so that `checked` also waits for a check that has not started yet. */
export const expectCheck = (page) => page.evaluate(() => { document.getElementById('findings').ariaBusy = 'true'; });

/** Waits until the editor's content has been checked. */
export const checked = (page) => page.waitForFunction(() => document.getElementById('findings').ariaBusy === 'false');

/** Selects a tab and waits for its content; the host's files appear some time after the click. */
export async function showTab(page, tab) {
  await page.click(`#tab-${tab}`);
  await page.locator({ editor: '#editor .cm-line', changes: '#changes .cm-line', files: '.file' }[tab]).first().waitFor();
}

/** Returns the lines that the Changes tab shows as removed; waits for the first one. */
export async function deletedLines(page) {
  await page.locator('.cm-deletedLine').first().waitFor();
  return page.$$eval('.cm-deletedLine', (lines) => lines.map((line) => line.textContent.trim()));
}

/** Clicks a button and returns the name and text of the file that the browser downloads. */
export async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
}

/** Runs the program with a text on its stdin. */
export function run(args, input) {
  const environment = { ...process.env };
  // The page does not know DISPLAY, so the program must not use it either.
  delete environment.DISPLAY;
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, env: environment, cwd: mkdtempSync(join(tmpdir(), 'web-')), encoding: 'utf8' });
  // A command that does not read its stdin closes it, and writing to it fails.
  if (error && error.code !== 'EPIPE') {
    throw error;
  }
  return { status, stdout, stderr };
}

// Fails at once if the program is missing.
execFileSync(program, ['--version']);
