// The list of rules: a filter box, and a redirect from `#rule-id`, as reports link to rules, to the
// rule's page. Without this script all rules are listed.

const filterBox = document.getElementById('filter');
const rows = [...document.querySelectorAll('#rules li')];

const ruleId = decodeURIComponent(location.hash.slice(1));
if (ruleId !== '' && document.getElementById(ruleId)?.matches('#rules li')) {
  location.replace(`${ruleId}.html`);
}

filterBox.closest('form').hidden = false;
filterBox.addEventListener('input', () => {
  const words = filterBox.value.toLowerCase().split(/\s+/);
  for (const row of rows) {
    row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  }
  const visibleCount = rows.filter((row) => !row.hidden).length;
  document.getElementById('shown').textContent = filterBox.value.trim() === '' ? '' : `${visibleCount} of ${rows.length}`;
});
