// The settings: a form whose state is in the address, by the names of the command line's flags.

import { byId } from './dom.js';
import * as address from './address.js';

/** What the form says: names and values of what somebody filled in. */
export class Settings {
  /** `changed` is called when somebody has changed a setting. */
  constructor(changed) {
    this.form = byId('settings');
    this.#fill(address.read());
    this.form.addEventListener('input', () => {
      address.write(this.values);
      this.#describe();
      changed();
    });
    this.form.addEventListener('submit', (event) => event.preventDefault());
    this.form.addEventListener('reset', () => setTimeout(() => this.form.dispatchEvent(new Event('input'))));
    addEventListener('hashchange', () => {
      this.#fill(address.read());
      changed();
    });
  }

  /** All that is filled in. */
  get values() {
    return Object.fromEntries([...new FormData(this.form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== ''));
  }

  /** What the engine is asked with. */
  get wishes() {
    return JSON.stringify(pick(this.values, (name) => !name.startsWith('host-')));
  }

  /** The same for the host's files. */
  get host() {
    const { 'host-style': style, 'host-parameters': parameters } = this.values;
    return JSON.stringify({ style, parameters });
  }

  /** Marks what can't be used. */
  mark(wrong = []) {
    for (const field of this.form.elements) {
      const is = wrong.find(({ name }) => name === field.name);
      field.setCustomValidity?.(is?.message ?? '');
      field.title = is?.message ?? '';
      field.setAttribute('aria-invalid', String(is !== undefined));
    }
  }

  #fill(values) {
    this.form.reset();
    for (const field of this.form.elements) {
      const value = values[field.name];
      if (field.type === 'checkbox') {
        field.checked = value === field.value;
      } else if (field.name && value !== undefined) {
        field.value = value;
        // What a list lacks is marked, as all is that the engine can't use, and not left out.
        if (field.value !== value && field.name === 'type') {
          field.add(new Option(value, value, false, true));
        }
      }
    }
    this.#describe();
  }

  /** Says in a line what is chosen, for whoever does not open the form. */
  #describe() {
    const { libvirt, ...others } = pick(this.values, (name) => !name.startsWith('host-'));
    const version = libvirt && libvirt !== 'newest' ? `libvirt ${libvirt}` : 'libvirt 8.5 and later';
    const words = Object.entries(others).map(([name, value]) => (value === 'yes' ? name : `${name} ${value}`));
    byId('chosen').textContent = [`for ${version}`, ...words].join(' · ');
  }
}

const pick = (values, keep) => Object.fromEntries(Object.entries(values).filter(([name]) => keep(name)));
