// What is changed: the text as it came against the fixed one, as a diff that can't be edited.

import { xml } from '@codemirror/lang-xml';
import { unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { defaultKeymap } from '@codemirror/commands';
import { byId, element } from './dom.js';
import { colours, styles } from './editor.js';

let view;

/** Shows what has become of the text, or will. */
export function showChanges(original, fixed) {
  clearChanges();
  if (original === fixed) {
    byId('changes').append(element('p', { class: 'empty' }, original === '' ? 'Paste a VM’s XML first.' : 'No changes.'));
    return;
  }
  view = new EditorView({
    parent: byId('changes'),
    state: EditorState.create({
      doc: fixed,
      extensions: [
        styles, lineNumbers(), xml(), colours, EditorView.lineWrapping, EditorState.readOnly.of(true), keymap.of(defaultKeymap),
        EditorView.contentAttributes.of({ 'aria-label': 'Changes, line by line', tabindex: '0' }),
        unifiedMergeView({
          original, mergeControls: false, gutter: true, highlightChanges: false, collapseUnchanged: { margin: 3, minSize: 6 },
          // A large document is compared line by line rather than slowly.
          diffConfig: { scanLimit: 1000, timeout: 300 },
        }),
      ],
    }),
  });
}

/** Shows nothing, and keeps nothing in memory. */
export function clearChanges() {
  view?.destroy();
  view = undefined;
  byId('changes').replaceChildren();
}
