// The pages as a whole: they send nothing, work offline and from disk, and are accessible.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checked, close, dist, expectCheck, fixtures, launch, open, paste, pictures, run, serve, showTab } from './lib/browser.mjs';

const example = fixtures['win10-virt-manager.xml'];
const pages = ['index.html', 'explain.html', 'rules/index.html', 'rules/stray-graphics.html'];
let browser, server;
before(async () => {
  [browser, server] = [await launch(), await serve()];
  mkdirSync(pictures, { recursive: true });
});
after(async () => {
  await browser.close();
  server.close();
});

const address = (page) => server.address + page;

test('the loaded page sends no requests, and the browser would block them', async () => {
  const page = await open(browser, address('index.html'));
  await page.waitForLoadState('networkidle');
  const requests = [];
  page.context().on('request', (request) => /^(blob|data):/.test(request.url()) || requests.push(request.url()));
  await paste(page, example);
  await page.click('#fix');
  await checked(page);
  for (const tab of ['changes', 'files', 'editor']) {
    await showTab(page, tab);
  }
  assert.deepEqual(requests, []);
  assert.deepEqual(page.faults, []);
  // The policy also blocks scripts injected into the page, and workers.
  const outcomes = await page.evaluate(async () => {
    const inPage = await fetch('index.html').then(() => 'sent', () => 'refused');
    const script = "fetch(location.origin + '/index.html').then(() => postMessage('sent'), () => postMessage('refused'))";
    const worker = new Worker(URL.createObjectURL(new Blob([script])));
    return [inPage, await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); })];
  });
  assert.deepEqual(outcomes, ['refused', 'refused']);
  await page.context().close();
});

test('the page works offline and when opened from disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  execFileSync('python3', ['-m', 'zipfile', '-e', 'dist.zip', folder]);
  for (const url of [address('index.html'), `file://${folder}/index.html`]) {
    const page = await open(browser, url);
    // The icon is loaded last.
    await page.waitForLoadState('networkidle');
    await page.context().setOffline(true);
    await page.click('#example');
    await page.waitForSelector('.finding');
    assert.ok(await page.locator('.finding').count() > 3, url);
    await close(page);
  }
});

test('axe finds no serious accessibility problems in light and dark mode', async () => {
  const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
  for (const colorScheme of ['light', 'dark']) {
    for (const name of pages) {
      const page = await open(browser, address(name), { colorScheme, bypassCSP: true });
      if (name === 'index.html') {
        await page.click('.settings summary');
        await paste(page, example);
        await page.locator('.finding details summary').first().click();
        await page.waitForSelector('.why p');
      }
      if (name === 'explain.html') {
        await page.fill('#question', 'there is no device "hostdev0" defined');
        await page.waitForSelector('.answer');
      }
      const views = name === 'index.html' ? ['editor', 'changes', 'files'] : [undefined];
      for (const view of views) {
        if (view) {
          await showTab(page, view);
        }
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        const problems = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
          .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`);
        assert.deepEqual(problems, [], `${name} ${view ?? ''} ${colorScheme}`);
        await page.screenshot({ path: join(pictures, `${name.replaceAll('/', '-')}${view ? `#tab-${view}` : ''}-${colorScheme}.png`) });
      }
      await close(page);
    }
  }
});

test('a failing engine is reported, and nothing can be downloaded', async () => {
  const context = await browser.newContext();
  // Truncates the engine to half its length.
  await context.route('**/engine.js', async (route) => {
    const answer = await route.fetch();
    const engineScript = await answer.text();
    const { wasm } = JSON.parse(engineScript.slice(engineScript.indexOf('=') + 1, engineScript.lastIndexOf(';')));
    await route.fulfill({ response: answer, body: engineScript.replace(wasm, wasm.slice(0, 4 * (wasm.length >> 3))) });
  });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto(address('index.html'));
  for (let round = 0; round < 2; round++) {
    await page.click('#example');
    await page.waitForFunction(() => document.getElementById('note').textContent.includes('Internal error'));
    await checked(page);
    assert.equal(await page.locator('.finding').count(), 0);
    assert.equal(await page.isDisabled('#download'), true);
  }
  await page.goto(address('explain.html'));
  await page.fill('#question', 'no device');
  await page.waitForFunction(() => document.getElementById('answers').textContent.includes('Internal error'));
  assert.deepEqual(faults, []);
  await context.close();
});

test('after a finding is fixed with the keyboard, the focus moves to the next one', async () => {
  const page = await open(browser, address('index.html'));
  await paste(page, example);
  const countBefore = await page.locator('.finding').count();
  await page.locator('.finding .fix').nth(1).focus();
  await expectCheck(page);
  await page.keyboard.press('Enter');
  await checked(page);
  assert.ok(await page.locator('.finding').count() < countBefore);
  assert.equal(await page.evaluate(() => document.activeElement.closest('.finding') !== null), true);
  await close(page);
});

test('nothing scrolls sideways at 360 pixels', async () => {
  for (const name of pages) {
    const page = await open(browser, address(name), { viewport: { width: 360, height: 740 } });
    if (name === 'index.html') {
      await page.click('#example');
      await page.waitForSelector('.finding');
      await page.click('.settings summary');
      for (const view of ['changes', 'files', 'editor']) {
        await showTab(page, view);
        assert.ok(await width(page) <= 360, `${name} ${view}: ${await width(page)}`);
      }
      await page.click('.settings summary');
    }
    assert.ok(await width(page) <= 360, `${name}: ${await width(page)}`);
    await page.screenshot({ path: join(pictures, `${name.replaceAll('/', '-')}-360.png`) });
    await close(page);
  }
});
const width = (page) => page.evaluate(() => document.scrollingElement.scrollWidth);

test('everything works with the keyboard: pasting, going to a finding, fixing, seeing the changes', async () => {
  const page = await open(browser, address('index.html'));
  await page.evaluate((text) => navigator.clipboard.writeText(text), example);
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.textContent);
  const tabTo = async (pattern) => {
    for (let presses = 0; presses < 60; presses++) {
      if (pattern.test(await focused())) {
        return;
      }
      await keyboard.press('Tab');
    }
    assert.fail(`the Tab key does not reach ${pattern}`);
  };
  await tabTo(/cm-content/);
  await expectCheck(page);
  await keyboard.press('Control+V');
  await checked(page);
  await keyboard.press('F8');
  assert.match(await page.locator('.cm-activeLine').innerText(), /</);
  // The Tab key moves out of the editor.
  await tabTo(/^fix$/);
  await expectCheck(page);
  await keyboard.press('Enter');
  await checked(page);
  assert.equal(await page.isDisabled('#fix'), true);
  assert.equal(await focused(), 'summary');
  await page.locator('#tab-editor').focus();
  await keyboard.press('ArrowRight');
  assert.equal(await page.getAttribute('#tab-changes', 'aria-selected'), 'true');
  await page.locator('.cm-deletedLine').first().waitFor();
  await close(page);
});

test('a message is explained while it is typed, and kept in the URL', async () => {
  const page = await open(browser, address('explain.html'));
  await page.fill('#question', 'qemu-system-x86_64: -set device.hostdev0.x-igd-opregion=on: there is no device "hostdev0" defined');
  await page.waitForSelector('.answer[data-id=set-finds-no-device]');
  await page.reload();
  await page.waitForSelector('.answer[data-id=set-finds-no-device]');
  await page.fill('#question', readFileSync('../fixtures/win10.log', 'utf8'));
  await page.waitForSelector('.answer .seen');
  assert.equal(await page.evaluate(() => location.hash), '', 'a log is not put into the URL');
  const explained = run(['explain', '--isolated', '-'], readFileSync('../fixtures/win10.log', 'utf8')).stdout;
  for (const answer of await page.$$('.answer')) {
    const id = await answer.getAttribute('data-id');
    assert.ok(explained.includes(id), id);
  }
  await page.fill('#question', 'xyzzy plugh');
  await page.waitForSelector('.empty');
  assert.notEqual(await page.evaluate(() => location.hash), '');
  await page.locator('#log').setInputFiles('../fixtures/win10.log');
  await page.waitForSelector('.answer .seen');
  assert.equal(await page.evaluate(() => location.hash), '', 'the previous question is removed from the URL');
  await page.fill('#question', 'opregion');
  const link = page.locator('#answers a[href^="#q="]').first();
  const name = await link.textContent();
  await link.focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector(`.answer[data-id=${name}]`);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'question');
  await close(page);
});

test('each rule has a page, and no link is broken', async () => {
  const rules = ['../rules', '../rules/host'].flatMap((folder) => readdirSync(folder)).filter((name) => name.endsWith('.toml'));
  const built = new Set(readdirSync(join(dist, 'rules')));
  for (const name of rules) {
    assert.ok(built.has(name.replace(/toml$/, 'html')), name);
  }
  assert.equal(built.size, rules.length + 1, 'the list and nothing else');
  const index = readFileSync(join(dist, 'rules/index.html'), 'utf8');
  for (const name of built) {
    const page = readFileSync(join(dist, 'rules', name), 'utf8');
    for (const [, link] of page.matchAll(/href="([^"#:]+\.(?:html|css|svg))"/g)) {
      assert.ok(link.startsWith('../') ? readdirSync(dist).includes(link.slice(3)) || link === '../rules/index.html' : built.has(link), `${name}: ${link}`);
    }
    assert.ok(name === 'index.html' || index.includes(`href="${name}"`), name);
  }
});

test('a link from a report leads to its rule', async () => {
  const page = await open(browser, `${address('rules/index.html')}#stray-video`);
  await page.waitForURL(/rules\/stray-video\.html$/);
  await page.goto(`${address('rules/index.html')}#filter`);
  assert.match(page.url(), /index\.html#filter$/);
  await page.fill('#filter', 'stray vid');
  assert.equal(await page.locator('#rules li:visible').count(), 1);
  await close(page);
});

test('licenses.txt covers the script’s packages and the engine’s crates, and the page links to it', () => {
  const licenses = readFileSync(join(dist, 'licenses.txt'), 'utf8');
  for (const name of ['@codemirror/view', '@lezer/common', 'roxmltree', 'wasm-bindgen', 'rust-std']) {
    assert.ok(new RegExp(`(^|, )${name}[ :]`, 'm').test(licenses), name);
  }
  assert.ok(readFileSync(join(dist, 'index.html'), 'utf8').includes('href="licenses.txt"'));
});
