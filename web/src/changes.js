// The Changes tab: a read-only diff between the document as it was loaded and the fixed one.

import { xml } from '@codemirror/lang-xml';
import { unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { defaultKeymap } from '@codemirror/commands';
import { byId, element } from './dom.js';
import { highlighting, styleNonce } from './editor.js';

let view;

/** Shows the diff between the two texts, or says that there is none. */
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
        styleNonce, lineNumbers(), xml(), highlighting, EditorView.lineWrapping, EditorState.readOnly.of(true), keymap.of(defaultKeymap),
        EditorView.contentAttributes.of({ 'aria-label': 'Changes, line by line', tabindex: '0' }),
        unifiedMergeView({
          original, mergeControls: false, gutter: true, highlightChanges: false, collapseUnchanged: { margin: 3, minSize: 6 },
          // Limits the time spent on a large document; its diff then becomes coarser.
          diffConfig: { scanLimit: 1000, timeout: 300 },
        }),
      ],
    }),
  });
}

/** Removes the diff and frees its memory. */
export function clearChanges() {
  view?.destroy();
  view = undefined;
  byId('changes').replaceChildren();
}
