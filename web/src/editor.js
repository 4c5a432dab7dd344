// The XML editor, which marks findings in the text.

import { defaultKeymap, history, historyKeymap, invertedEffects, isolateHistory, undo } from '@codemirror/commands';
import { xml } from '@codemirror/lang-xml';
import { bracketMatching, codeFolding, foldGutter, foldKeymap, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, StateEffect, StateField } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';

// CodeMirror adds a <style> element; the page's Content-Security-Policy allows it by this nonce.
export const styleNonce = EditorView.cspNonce.of('editor');

/** XML syntax highlighting in the colors of style.css. */
export const highlighting = syntaxHighlighting(HighlightStyle.define([
  { tag: [tags.tagName, tags.angleBracket], color: 'var(--tag)' },
  { tag: tags.attributeName, color: 'var(--attribute)' },
  { tag: tags.attributeValue, color: 'var(--string)' },
  { tag: [tags.comment, tags.processingInstruction, tags.documentMeta], color: 'var(--quiet)', fontStyle: 'italic' },
  { tag: tags.invalid, color: 'inherit' },
]));

// The document as it was loaded: `original`, its text, and `ending`, its line ending, which
// CodeMirror does not keep. Set when the whole text is replaced; undo restores it with the text.
const setOrigin = StateEffect.define();
const origin = StateField.define({
  create: () => ({ original: '', ending: '\n' }),
  update: (value, { effects }) => effects.find((effect) => effect.is(setOrigin))?.value ?? value,
});
const restoreOriginOnUndo = invertedEffects.of(({ effects, startState }) => (
  effects.some((effect) => effect.is(setOrigin)) ? [setOrigin.of(startState.field(origin))] : []
));

/** The effect of loading a text (a CodeMirror `Text`) that had this line ending. */
const originEffect = (text, ending) => setOrigin.of({ original: text.sliceString(0, text.length, ending), ending });

export class Editor {
  #view;
  /** The line ending of the text pasted last. */
  #pastedEnding = '\n';

  /**
   * Creates the editor in `parent`. `onChange` is called after each change, `onFix` with
   * the finding whose fix was chosen in a tooltip.
   */
  constructor(parent, { onChange, onFix }) {
    this.onFix = onFix;
    const changeListener = EditorView.updateListener.of((update) => update.docChanged && onChange());
    // CodeMirror normalizes line endings, so they have to be read before it handles the paste.
    const pasteHandler = EditorView.domEventHandlers({
      paste: (event) => {
        this.#pastedEnding = endingOf(event.clipboardData?.getData('text/plain') ?? '');
        return false;
      },
    });
    const setOriginOnPaste = EditorState.transactionExtender.of((transaction) => (
      isPasteOverAll(transaction) ? { effects: originEffect(transaction.newDoc, this.#pastedEnding) } : null
    ));
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        extensions: [
          styleNonce, lineNumbers(), foldGutter(), lintGutter(), codeFolding(), history(), drawSelection(), highlightActiveLine(), highlightActiveLineGutter(),
          bracketMatching(), highlightSelectionMatches(), indentUnit.of('  '), xml({ autoCloseTags: false }), highlighting,
          EditorView.lineWrapping, placeholder('Paste the output of virsh dumpxml --inactive --security-info win10, or drop a file here.'),
          EditorView.contentAttributes.of({ 'aria-label': 'Domain XML', spellcheck: 'false', tabindex: '0' }),
          keymap.of([...lintKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap]),
          origin, restoreOriginOnUndo, pasteHandler, setOriginOnPaste, changeListener,
        ],
      }),
    });
  }

  /** The current text, with the document's own line endings. */
  get text() {
    const { state } = this.#view;
    return state.doc.sliceString(0, state.doc.length, state.field(origin).ending);
  }

  /** The document's text as it was loaded. */
  get original() {
    return this.#view.state.field(origin).original;
  }

  /** Identifies the current text: a different object means that the text has changed. */
  get version() {
    return this.#view.state.doc;
  }

  /** Loads another document. */
  load(text) {
    const { state } = this.#view;
    const insert = state.toText(text);
    this.#view.dispatch({
      changes: { from: 0, to: state.doc.length, insert },
      effects: originEffect(insert, endingOf(text)), annotations: isolateHistory.of('full'), selection: { anchor: 0 }, scrollIntoView: true,
    });
  }

  /** Replaces the text with its fixed version, in one step that can be undone. */
  replace(text) {
    const { state } = this.#view;
    const insert = state.toText(text);
    const [from, to, end] = difference(state.doc, insert);
    this.#view.dispatch({ changes: { from, to, insert: insert.slice(from, end) }, userEvent: 'input.fix' });
  }

  /** Applies the edits of one fix. */
  apply(edits) {
    const { state } = this.#view;
    const changes = edits.map(({ from, to, insert }) => ({ from, to, insert: state.toText(insert) }));
    this.#view.dispatch({ changes, userEvent: 'input.fix', scrollIntoView: true });
  }

  undo() {
    return undo(this.#view);
  }

  /** Marks findings in the text. */
  show(findings) {
    const { state } = this.#view;
    const diagnostics = findings.map((finding) => ({
      from: finding.from,
      to: finding.to,
      severity: finding.severity,
      source: finding.rule,
      message: finding.help ? `${finding.message}\n${finding.help}` : finding.message,
      actions: isFixable(finding) ? [{ name: finding.fix.title, apply: () => this.onFix(finding) }] : [],
    }));
    this.#view.dispatch(setDiagnostics(state, diagnostics));
  }

  /** Selects a range, scrolls to it and focuses the editor. */
  goTo(from, to = from) {
    this.#view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
    this.#view.focus();
  }
}

/** Whether a finding has edits that fix it. */
export const isFixable = ({ fix }) => fix !== null && fix.applicability !== 'manual' && fix.edits.length > 0;

/** Returns a text's line ending: CRLF only if all its lines end so, otherwise LF. */
export const endingOf = (text) => (/\r\n/.test(text) && !/(^|[^\r])\n|\r(?!\n)/.test(text) ? '\r\n' : '\n');

/** Whether a transaction pastes over the whole text. */
function isPasteOverAll(transaction) {
  let whole = false;
  if (transaction.isUserEvent('input.paste')) {
    transaction.changes.iterChangedRanges((from, to) => { whole ||= from === 0 && to === transaction.startState.doc.length; });
  }
  return whole;
}

/**
 * Returns the smallest range in which two texts differ, as `[from, to, end]`: from and to in the
 * first text, and the range's end in the second.
 */
function difference(before, after) {
  const oldText = before.toString();
  const newText = after.toString();
  const shorter = Math.min(oldText.length, newText.length);
  let from = 0;
  while (from < shorter && oldText[from] === newText[from]) {
    from++;
  }
  let commonSuffix = 0;
  while (commonSuffix < shorter - from && oldText[oldText.length - 1 - commonSuffix] === newText[newText.length - 1 - commonSuffix]) {
    commonSuffix++;
  }
  return [from, oldText.length - commonSuffix, newText.length - commonSuffix];
}
