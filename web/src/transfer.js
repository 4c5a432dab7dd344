// Texts in and out of the page: files that are opened or dropped, the clipboard, downloads.

/** Has the browser save a text as a file. */
export function download(name, text, type = 'text/plain') {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Puts a text on the clipboard, and says so on the button. */
export async function copy(button, text) {
  // What it says otherwise, also when it is clicked again while it says something of this.
  const words = (button.dataset.words ??= button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Copying is blocked: select the text and copy it';
  }
  setTimeout(() => { button.textContent = words; }, 1500);
}

/** Calls `open` with each file that is dropped on the page. */
export function onDrop(open) {
  addEventListener('dragover', (event) => event.preventDefault());
  // Before the editor has it, which would put the file's text in where it was dropped.
  addEventListener('drop', (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (file) {
      event.preventDefault();
      event.stopPropagation();
      open(file);
    }
  }, true);
}
