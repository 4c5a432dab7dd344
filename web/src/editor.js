// The editor: XML with findings where they are.

import { defaultKeymap, history, historyKeymap, invertedEffects, isolateHistory, undo } from '@codemirror/commands';
import { xml } from '@codemirror/lang-xml';
import { bracketMatching, codeFolding, foldGutter, foldKeymap, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, StateEffect, StateField } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';

// CodeMirror writes its rules into a <style>, which the page's policy lets in by this name.
export const styles = EditorView.cspNonce.of('editor');

/** The colours of XML, by the page's own variables. */
export const colours = syntaxHighlighting(HighlightStyle.define([
  { tag: [tags.tagName, tags.angleBracket], color: 'var(--tag)' },
  { tag: tags.attributeName, color: 'var(--attribute)' },
  { tag: tags.attributeValue, color: 'var(--string)' },
  { tag: [tags.comment, tags.processingInstruction, tags.documentMeta], color: 'var(--quiet)', fontStyle: 'italic' },
  { tag: tags.invalid, color: 'inherit' },
]));

// Where a document comes from: `original`, what the text was when it came, and `ending`, how its lines end, which the editor itself does not keep.
// It changes with a text that replaces all of another; undoing that brings it back with the text.
const comes = StateEffect.define();
const origin = StateField.define({
  create: () => ({ original: '', ending: '\n' }),
  update: (value, { effects }) => effects.find((effect) => effect.is(comes))?.value ?? value,
});
const backWithTheText = invertedEffects.of(({ effects, startState }) => (
  effects.some((effect) => effect.is(comes)) ? [comes.of(startState.field(origin))] : []
));

/** That a text (the editor's own kind of one) comes, whose lines ended so. */
const coming = (text, ending) => comes.of({ original: text.sliceString(0, text.length, ending), ending });

export class Editor {
  #view;
  /** How the lines of what was pasted last end. */
  #pasted = '\n';

  /** `changed` is called after each change, `chosen` with what a tooltip's action is for. */
  constructor(parent, { changed, chosen }) {
    this.chosen = chosen;
    const watch = EditorView.updateListener.of((update) => update.docChanged && changed());
    // Before the editor takes it: how the lines of what is pasted end.
    const paste = EditorView.domEventHandlers({
      paste: (event) => {
        this.#pasted = endingOf(event.clipboardData?.getData('text/plain') ?? '');
        return false;
      },
    });
    const pastedOver = EditorState.transactionExtender.of((transaction) => (
      replaces(transaction) ? { effects: coming(transaction.newDoc, this.#pasted) } : null
    ));
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        extensions: [
          styles, lineNumbers(), foldGutter(), lintGutter(), codeFolding(), history(), drawSelection(), highlightActiveLine(), highlightActiveLineGutter(),
          bracketMatching(), highlightSelectionMatches(), indentUnit.of('  '), xml({ autoCloseTags: false }), colours,
          EditorView.lineWrapping, placeholder('Paste the output of virsh dumpxml --inactive --security-info win10, or drop a file here.'),
          EditorView.contentAttributes.of({ 'aria-label': 'Domain XML', spellcheck: 'false', tabindex: '0' }),
          keymap.of([...lintKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap]),
          origin, backWithTheText, paste, pastedOver, watch,
        ],
      }),
    });
  }

  /** The text as it came: with its own line endings. */
  get text() {
    const { state } = this.#view;
    return state.doc.sliceString(0, state.doc.length, state.field(origin).ending);
  }

  /** What the text was when it came. */
  get original() {
    return this.#view.state.field(origin).original;
  }

  /** The state of the text, to be asked for again: another one means that it has changed. */
  get version() {
    return this.#view.state.doc;
  }

  /** Another document. */
  load(text) {
    const { state } = this.#view;
    const insert = state.toText(text);
    this.#view.dispatch({
      changes: { from: 0, to: state.doc.length, insert },
      effects: coming(insert, endingOf(text)), annotations: isolateHistory.of('full'), selection: { anchor: 0 }, scrollIntoView: true,
    });
  }

  /** The same document with all mended: one step that can be undone. */
  replace(text) {
    const { state } = this.#view;
    const insert = state.toText(text);
    const [from, to, end] = difference(state.doc, insert);
    this.#view.dispatch({ changes: { from, to, insert: insert.slice(from, end) }, userEvent: 'input.fix' });
  }

  /** Makes the edits of one fix. */
  apply(edits) {
    const { state } = this.#view;
    const changes = edits.map(({ from, to, insert }) => ({ from, to, insert: state.toText(insert) }));
    this.#view.dispatch({ changes, userEvent: 'input.fix', scrollIntoView: true });
  }

  undo() {
    return undo(this.#view);
  }

  /** Shows findings where they are. */
  show(findings) {
    const { state } = this.#view;
    const diagnostics = findings.map((finding) => ({
      from: finding.from,
      to: finding.to,
      severity: finding.severity,
      source: finding.rule,
      message: finding.help ? `${finding.message}\n${finding.help}` : finding.message,
      actions: isFixable(finding) ? [{ name: actionOf(finding), apply: () => this.chosen(finding) }] : [],
    }));
    this.#view.dispatch(setDiagnostics(state, diagnostics));
  }

  /** Puts the cursor there, and shows it. */
  goTo(from, to = from) {
    this.#view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
    this.#view.focus();
  }
}

/** Whether a finding can be mended by its own edits. */
export const isFixable = ({ fix }) => fix !== null && fix.applicability !== 'manual' && fix.edits.length > 0;

/** What the button that mends a finding says. */
export const actionOf = ({ fix }) => fix.title;

/** How the lines of a text end; where they end in several ways, an editor's own. */
export const endingOf = (text) => (/\r\n/.test(text) && !/(^|[^\r])\n|\r(?!\n)/.test(text) ? '\r\n' : '\n');

/** Whether a text is pasted in the place of all that there was. */
function replaces(transaction) {
  let whole = false;
  if (transaction.isUserEvent('input.paste')) {
    transaction.changes.iterChangedRanges((from, to) => { whole ||= from === 0 && to === transaction.startState.doc.length; });
  }
  return whole;
}

/** Where two texts differ: the range in the first, and the end of it in the second. */
function difference(before, after) {
  const [one, two] = [before.toString(), after.toString()];
  const shorter = Math.min(one.length, two.length);
  let from = 0;
  while (from < shorter && one[from] === two[from]) {
    from++;
  }
  let same = 0;
  while (same < shorter - from && one[one.length - 1 - same] === two[two.length - 1 - same]) {
    same++;
  }
  return [from, one.length - same, two.length - same];
}
