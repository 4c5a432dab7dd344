// Downloads, the clipboard, and files dropped on the page.

/** Makes the browser download a text as a file. */
export function download(name, text, type = 'text/plain') {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Copies a text to the clipboard and shows the outcome on the button for 1.5 seconds. */
export async function copy(button, text) {
  // The button's own label is kept from the first click: a later one may find "Copied" there.
  const label = (button.dataset.words ??= button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Copying is blocked: select the text and copy it';
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

/** Calls `open` with each file that is dropped on the page. */
export function onDrop(open) {
  addEventListener('dragover', (event) => event.preventDefault());
  // In the capture phase, before the editor, which would insert the text at the drop position.
  addEventListener('drop', (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (file) {
      event.preventDefault();
      event.stopPropagation();
      open(file);
    }
  }, true);
}
