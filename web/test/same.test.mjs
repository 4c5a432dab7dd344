// The page's findings, fixed XML, reports and host files are the command line's, byte for byte.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checked, close, deletedLines, fixtures, launch, open, openFile, paste, run, saved, serve } from './lib/browser.mjs';

let browser, server, page;
before(async () => {
  [browser, server] = [await launch(), await serve()];
  page = await open(browser, `${server.address}index.html`);
});
after(async () => {
  await close(page);
  await browser.close();
  server.close();
});

const fixedByProgram = (text, ...flags) => run(['fix', '--isolated', '--quiet', ...flags], text).stdout;
const jsonReport = (name, text, ...flags) => run(['lint', '--isolated', '--quiet', '--format', 'json', '--stdin-filename', name, ...flags], text).stdout;

/** Returns each listed finding as `[rule, message, label of the position]`. */
const listedFindings = () => page.$$eval('.finding', (items) => items.map((item) => [
  item.dataset.rule, item.querySelector('.message').textContent, item.querySelector('.place').getAttribute('aria-label'),
]));
/** Returns the findings of the command line's JSON report in the same form as `listedFindings`. */
const expectedFindings = (json) => JSON.parse(json).diagnostics.map(({ rule, message, start: { line, column } }) => [
  // The page shows text in backticks as code, without the backticks.
  rule, message.replace(/`([^`]+)`/g, '$1'), `Go to line ${line}, column ${column}`,
]);

for (const [name, text] of Object.entries(fixtures)) {
  test(`${name}: findings, fixed XML and report match the command line`, async () => {
    await paste(page, text);
    assert.equal((await saved(page, '#download')).text, fixedByProgram(text));
    const report = await saved(page, '#report');
    const json = jsonReport(report.name.replace(/json$/, 'xml'), text);
    assert.equal(report.text, json);
    assert.deepEqual(await listedFindings(), expectedFindings(json));
    if (await page.isEnabled('#fix')) {
      await page.click('#fix');
      await checked(page);
      assert.equal((await saved(page, '#download')).text, fixedByProgram(text), 'fixing twice changes nothing more');
    }
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await page.click('#copy');
    // The browser writes the clipboard some time after the click.
    await page.waitForFunction(async () => await navigator.clipboard.readText() !== '');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), fixedByProgram(text));
  });
}

test('line endings, a byte order mark and characters of any plane are kept', async () => {
  const text = fixtures['win10-virt-manager.xml'].replace('win10', 'é😀').replaceAll('\n', '\r\n');
  for (const bytes of [text, `\ufeff${text}`]) {
    await openFile(page, 'a.xml', bytes);
    const report = await saved(page, '#report');
    assert.equal(report.text, jsonReport(report.name.replace(/json$/, 'xml'), bytes));
    assert.deepEqual(await listedFindings(), expectedFindings(report.text));
    assert.equal((await saved(page, '#download')).text, fixedByProgram(bytes));
    await page.click('#fix');
    await checked(page);
    assert.equal((await saved(page, '#download')).text, fixedByProgram(bytes));
  }
});

test('a single fix makes only its own edits, and can be undone', async () => {
  const text = fixtures['win10-virt-manager.xml'].replace('win10', 'é😀');
  for (const ending of ['\n', '\r\n']) {
    const bytes = text.replaceAll('\n', ending);
    const { diagnostics } = JSON.parse(jsonReport('a.xml', bytes));
    let fixCount = 0;
    for (const [index, { rule, fix }] of diagnostics.entries()) {
      if (!fix || fix.edits.length === 0) {
        continue;
      }
      await openFile(page, 'a.xml', bytes);
      await page.locator('.finding').nth(index).locator('.fix').click();
      await checked(page);
      const edited = applyEdits(bytes, fix.edits);
      assert.equal((await saved(page, '#download')).text, fixedByProgram(edited), rule);
      const report = await saved(page, '#report');
      assert.equal(report.text, jsonReport(report.name.replace(/json$/, 'xml'), edited), rule);
      await page.click('#undo');
      await checked(page);
      assert.deepEqual(await listedFindings(), expectedFindings(jsonReport('a.xml', bytes)));
      fixCount += 1;
    }
    assert.ok(fixCount > 0);
  }
});

/** Applies edits with byte offsets; from the end, so that the offsets of the others stay valid. */
function applyEdits(text, edits) {
  let bytes = Buffer.from(text);
  for (const { start, end, text: insert } of edits.toReversed()) {
    bytes = Buffer.concat([bytes.subarray(0, start.offset), Buffer.from(insert), bytes.subarray(end.offset)]);
  }
  return bytes.toString();
}

test('input that is not a domain has one finding, and only its report can be saved', async () => {
  const malformed = fixtures['guide.xml'].replace('</devices>', '</device>');
  for (const [text, rule] of [[malformed, 'not-well-formed'], ['<network/>', 'not-a-domain'], ['<domain', 'not-well-formed']]) {
    await paste(page, text);
    assert.deepEqual(await listedFindings(), expectedFindings(jsonReport('a.xml', text)));
    assert.equal(await page.locator('.finding').getAttribute('data-rule'), rule);
    for (const button of ['#fix', '#copy', '#download']) {
      assert.equal(await page.isDisabled(button), true, button);
    }
    const report = await saved(page, '#report');
    assert.equal(report.text, jsonReport(report.name.replace(/json$/, 'xml'), text));
    await page.click('#tab-files');
    assert.match(await page.innerText('#files'), /Paste a VM’s XML first/);
    await page.click('#tab-editor');
  }
  assert.ok(await page.locator('.cm-lintRange-error, .cm-lintPoint-error').count() > 0);
});

test('a file that is not UTF-8 is rejected with a reason', async () => {
  await openFile(page, 'latin1.xml', Buffer.from('<domain><name>\xe9</name></domain>', 'latin1'));
  assert.match(await page.innerText('#summary'), /latin1\.xml: .*UTF-8/);
  assert.equal(await page.isDisabled('#download'), true);
});

test('settings work like the flags, are kept in the URL and survive a reload', async () => {
  const text = fixtures['win10-virt-manager.xml'];
  await page.click('.settings summary');
  await page.fill('[name=libvirt]', '7.0');
  await page.selectOption('[name=type]', 'i915-GVTg_V5_8');
  await page.fill('[name=pci]', '0000:00:03.0');
  await page.check('[name=keep-video]');
  await paste(page, text);
  const flags = ['--libvirt', '7.0', '--type', 'i915-GVTg_V5_8', '--pci', '0000:00:03.0', '--keep-video'];
  assert.equal((await saved(page, '#download')).text, fixedByProgram(text, ...flags));
  assert.notEqual(fixedByProgram(text, ...flags), fixedByProgram(text));
  await page.reload();
  assert.equal(await page.inputValue('[name=libvirt]'), '7.0');
  assert.equal(await page.isChecked('[name=keep-video]'), true);
  await paste(page, text);
  assert.equal((await saved(page, '#download')).text, fixedByProgram(text, ...flags));
});

test('an invalid setting is named, and nothing can be downloaded', async () => {
  await page.click('.settings summary');
  await page.fill('[name=pci]', 'two');
  await checked(page);
  assert.match(await page.innerText('#findings'), /pci: use a PCI address such as 0000:00:02.0/);
  assert.equal(await page.isDisabled('#download'), true);
  assert.equal(await page.getAttribute('[name=pci]', 'aria-invalid'), 'true');
  await page.click('#tab-files');
  assert.match(await page.innerText('#files'), /Correct the invalid setting first/);
  await page.click('#tab-editor');
  await page.click('button[type=reset]');
  await page.waitForFunction(() => location.hash === '');
  await checked(page);
  assert.equal(await page.isDisabled('#download'), false);
  await page.click('.settings summary');
});

test('the host files match those of emit', async () => {
  const text = fixtures['win10-virt-manager.xml'];
  await paste(page, text);
  await page.click('#tab-files');
  const emitted = [
    ['gvtg', ['emit', 'hook', '--quiet']], ['gvt.conf', ['emit', 'modules', '--quiet']], ['gvtg.conf', ['emit', 'modprobe', '--quiet']],
  ];
  for (const [name, args] of emitted) {
    const file = await saved(page, `.file[data-name="${name}"] button:has-text("Download")`);
    assert.equal(file.text, run(args, fixedByProgram(text)).stdout, name);
  }
  await page.click('.settings summary');
  await page.selectOption('[name=host-parameters]', 'raw');
  await checked(page);
  const cmdline = await saved(page, '.file[data-name="cmdline"] button:has-text("Download")');
  assert.equal(cmdline.text, run(['emit', 'cmdline', '--quiet'], '').stdout);
  await page.click('.settings summary');
});

test('the changes compare the pasted XML with the fixed XML', async () => {
  await paste(page, fixtures['win10-virt-manager.xml']);
  await page.click('#tab-changes');
  const removedLines = await deletedLines(page);
  assert.ok(removedLines.includes('<graphics type=\'spice\' autoport=\'yes\'>'), removedLines.join('\n'));
  await page.click('#fix');
  await checked(page);
  assert.deepEqual(await deletedLines(page), removedLines, 'also after the fix');
  await page.click('#tab-editor');
  await paste(page, fixtures['win10-virt-manager.fixed.xml']);
  await page.click('#tab-changes');
  assert.match(await page.innerText('#changes'), /No changes/);
  await page.click('#tab-editor');
});
