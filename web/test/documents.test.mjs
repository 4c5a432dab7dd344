// Replacing the document (by dropping or rejecting a file, Example, paste, Undo) and changing the
// settings: results always belong to the current document.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { checked, close, deletedLines, expectCheck, fixtures, launch, open, openFile, paste, run, saved, serve } from './lib/browser.mjs';

const text = fixtures['win10-virt-manager.xml'].replace('win10', 'another');
const fixedByProgram = (document, ...flags) => run(['fix', '--isolated', '--quiet', ...flags], document).stdout;

let browser, server, page;
before(async () => {
  [browser, server] = [await launch(), await serve()];
});
after(async () => {
  await browser.close();
  server.close();
});
beforeEach(async () => {
  page = await open(browser, `${server.address}index.html`);
});
afterEach(async () => {
  await close(page);
});

test('a file dropped on the editor is opened once', async () => {
  // CodeMirror's own drop handler would read the file and insert its text at the drop position.
  await page.evaluate(() => {
    globalThis.readings = 0;
    FileReader.prototype.readAsText = () => { globalThis.readings += 1; };
  });
  for (const document of [text, text.replaceAll('\n', '\r\n')]) {
    await expectCheck(page);
    await page.evaluate((content) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([content], 'dropped.xml', { type: 'text/xml' }));
      document.querySelector('#editor .cm-content').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
    }, document);
    await checked(page);
    assert.equal((await saved(page, '#download')).text, fixedByProgram(document));
    assert.equal(await page.evaluate(() => globalThis.readings), 0);
  }
});

test('the reason for rejecting a file stays visible until a document is loaded', async () => {
  const latin1 = Buffer.from('<domain><name>\xe9</name></domain>', 'latin1');
  // First in an empty editor, then in place of a document that may still be being checked.
  for (let round = 0; round < 2; round++) {
    await openFile(page, 'latin1.xml', latin1);
    await page.click('.settings summary');
    await expectCheck(page);
    await page.check('[name=keep-video]');
    await checked(page);
    assert.match(await page.innerText('#summary'), /latin1\.xml: .*UTF-8/);
    assert.equal(await page.isVisible('#note'), true);
    await page.click('button[type=reset]');
    await page.click('.settings summary');
    await page.click('#example');
    await page.waitForSelector('.finding');
    await checked(page);
    assert.doesNotMatch(await page.innerText('#summary'), /latin1/);
  }
});

test('undo after loading another document restores the previous one with its line endings and its changes', async () => {
  const document = text.replaceAll('\n', '\r\n');
  const removedLines = async () => {
    await page.click('#tab-changes');
    const lines = await deletedLines(page);
    await page.click('#tab-editor');
    return lines;
  };
  const replacements = { Example: () => page.click('#example'), paste: () => paste(page, fixtures['guide.xml']) };
  for (const [name, replaceDocument] of Object.entries(replacements)) {
    await openFile(page, 'crlf.xml', document);
    const linesBefore = await removedLines();
    await expectCheck(page);
    await replaceDocument();
    await checked(page);
    assert.doesNotMatch((await saved(page, '#download')).text, /\r/);
    await expectCheck(page);
    await page.click('#undo');
    await checked(page);
    assert.equal((await saved(page, '#download')).text, fixedByProgram(document), name);
    assert.deepEqual(await removedLines(), linesBefore, name);
    await page.locator('#editor .cm-content').focus();
    await expectCheck(page);
    await page.keyboard.press('Control+Y');
    await checked(page);
    assert.doesNotMatch((await saved(page, '#download')).text, /\r/, `${name} again`);
  }
});

test('fixes from before a change of settings are not applied', async () => {
  await paste(page, text);
  await expectCheck(page);
  // Clicks in the same task, before the check with the new setting has run.
  await page.evaluate(() => {
    const keep = document.querySelector('[name=keep-video]');
    keep.checked = true;
    keep.dispatchEvent(new Event('input', { bubbles: true }));
    document.querySelector('.finding[data-rule=stray-video] .fix').click();
  });
  await checked(page);
  assert.equal((await saved(page, '#download')).text, fixedByProgram(text, '--keep-video'));
  assert.notEqual(fixedByProgram(text, '--keep-video'), fixedByProgram(text));
});

test('when the engine fails later, earlier results cannot be copied or downloaded', async () => {
  await page.addInitScript(() => {
    // Makes the engine fail by calling a method that it does not have.
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function post(message, ...others) {
      return postMessage.call(this, globalThis.stops && message.method ? { ...message, method: 'none' } : message, ...others);
    };
  });
  await page.reload();
  const failingButtons = ['#report', '#tab-files', '.finding details summary >> nth=0'];
  for (const button of failingButtons) {
    await page.evaluate(() => { globalThis.stops = false; });
    await expectCheck(page);
    await page.click('#example');
    await checked(page);
    await page.evaluate(() => { globalThis.stops = true; });
    await page.click(button);
    await page.waitForFunction(() => document.getElementById('note').textContent.includes('Internal error'));
    assert.equal(await page.locator('.finding').count(), 0, button);
    for (const disabledButton of ['#fix', '#copy', '#download', '#report']) {
      assert.equal(await page.isDisabled(disabledButton), true, `${button} ${disabledButton}`);
    }
  }
});

test('invalid settings in the URL are marked, and a switch is on only for "yes"', async () => {
  await page.goto(`${server.address}index.html#type=i915-GVTg_V9_9&unsafe-fixes=no`);
  await paste(page, text);
  assert.match(await page.innerText('#findings'), /^Setting\s+type: /);
  assert.equal(await page.getAttribute('[name=type]', 'aria-invalid'), 'true');
  assert.equal(await page.isChecked('[name=unsafe-fixes]'), false);
  assert.equal(await page.isDisabled('#download'), true);
  await page.click('.settings summary');
  await page.click('button[type=reset]');
  await page.waitForFunction(() => location.hash === '');
  await checked(page);
  assert.equal((await saved(page, '#download')).text, fixedByProgram(text));
});

test('a copy button says "Copied" and then shows its label again, however often it is clicked', async () => {
  await paste(page, text);
  await page.click('#tab-files');
  // The host's files are requested from the engine only when the tab is selected.
  await page.getByRole('button', { name: /^Copy \/etc\/libvirt/ }).waitFor();
  for (const [button, expected] of [['#copy', 'Copy fixed XML'], ['.file button >> nth=0', 'Copy /etc']]) {
    await page.click(button);
    await page.locator(button).filter({ hasText: /^Copied/ }).waitFor();
    await page.click(button);
    await page.waitForTimeout(2000);
    const label = await page.locator(button).textContent();
    assert.ok(label.startsWith(expected), label);
  }
});
