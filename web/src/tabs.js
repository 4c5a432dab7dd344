// Tabs, as https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ has them: arrows go from one to the next.

export class Tabs {
  #tabs;

  /** `shown` is called with the name of each tab that is chosen: its `aria-controls` without `panel-`. */
  constructor(list, shown) {
    this.shown = shown;
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

  /** The name of the tab that is shown. */
  get chosen() {
    return nameOf(this.#tabs.find((tab) => tab.ariaSelected === 'true'));
  }

  /** Shows the tab of this name. */
  choose(name) {
    if (name !== this.chosen) {
      this.#select(this.#tabs.find((tab) => nameOf(tab) === name));
    }
  }

  #select(chosen) {
    for (const tab of this.#tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute('aria-controls')).hidden = tab !== chosen;
    }
    this.shown(nameOf(chosen));
  }
}

const nameOf = (tab) => tab.getAttribute('aria-controls').replace('panel-', '');
