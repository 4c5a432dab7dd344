// Tabs that follow https://www.w3.org/WAI/ARIA/apg/patterns/tabs/: arrow keys move between them.

export class Tabs {
  #tabs;

  /** `onSelect` is called with the name of a selected tab: its `aria-controls` without `panel-`. */
  constructor(list, onSelect) {
    this.onSelect = onSelect;
    this.#tabs = [...list.querySelectorAll('[role=tab]')];
    for (const [index, tab] of this.#tabs.entries()) {
      tab.addEventListener('click', () => this.#select(tab));
      tab.addEventListener('keydown', (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const next = { Home: 0, End: this.#tabs.length - 1 }[event.key] ?? (step && (index + step + this.#tabs.length) % this.#tabs.length);
        if (next !== undefined) {
          event.preventDefault();
          this.#tabs[next].focus();
          this.#select(this.#tabs[next]);
        }
      });
    }
  }

  /** The name of the selected tab. */
  get chosen() {
    return nameOf(this.#tabs.find((tab) => tab.ariaSelected === 'true'));
  }

  /** Selects the tab with this name. */
  choose(name) {
    if (name !== this.chosen) {
      this.#select(this.#tabs.find((tab) => nameOf(tab) === name));
    }
  }

  #select(selectedTab) {
    for (const tab of this.#tabs) {
      tab.ariaSelected = String(tab === selectedTab);
      tab.tabIndex = tab === selectedTab ? 0 : -1;
      document.getElementById(tab.getAttribute('aria-controls')).hidden = tab !== selectedTab;
    }
    this.onSelect(nameOf(selectedTab));
  }
}

const nameOf = (tab) => tab.getAttribute('aria-controls').replace('panel-', '');
