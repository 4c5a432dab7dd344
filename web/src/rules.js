// The list of rules: a box that narrows it, and the way to the rule that stands behind the # of the address, as links of reports have it. Without
// this script all of them are listed.

const box = document.getElementById('filter');
const rows = [...document.querySelectorAll('#rules li')];

const named = decodeURIComponent(location.hash.slice(1));
if (named !== '' && document.getElementById(named)?.matches('#rules li')) {
  location.replace(`${named}.html`);
}

box.closest('form').hidden = false;
box.addEventListener('input', () => {
  const words = box.value.toLowerCase().split(/\s+/);
  for (const row of rows) {
    row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  }
  const number = rows.filter((row) => !row.hidden).length;
  document.getElementById('shown').textContent = box.value.trim() === '' ? '' : `${number} of ${rows.length}`;
});
