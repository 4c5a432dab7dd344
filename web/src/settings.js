// The settings form. Its state is kept in the URL, under the names of the command line's flags.

import { byId } from './dom.js';
import * as address from './address.js';

/** The settings form and the values filled in. */
export class Settings {
  /** `onChange` is called after each change of a setting. */
  constructor(onChange) {
    this.form = byId('settings');
    this.#fill(address.read());
    this.form.addEventListener('input', () => {
      address.write(this.values);
      this.#describe();
      onChange();
    });
    this.form.addEventListener('submit', (event) => event.preventDefault());
    this.form.addEventListener('reset', () => setTimeout(() => this.form.dispatchEvent(new Event('input'))));
    addEventListener('hashchange', () => {
      this.#fill(address.read());
      onChange();
    });
  }

  /** The names and values of all fields that are filled in. */
  get values() {
    return Object.fromEntries([...new FormData(this.form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== ''));
  }

  /** The settings for a check, as JSON for the engine. */
  get checkSettings() {
    return JSON.stringify(pick(this.values, (name) => !name.startsWith('host-')));
  }

  /** The settings for the host's files, as JSON for the engine. */
  get hostSettings() {
    const { 'host-style': style, 'host-parameters': parameters } = this.values;
    return JSON.stringify({ style, parameters });
  }

  /** Marks the fields with invalid settings; each error is `{ name, message }`. */
  mark(errors = []) {
    for (const field of this.form.elements) {
      const error = errors.find(({ name }) => name === field.name);
      field.setCustomValidity?.(error?.message ?? '');
      field.title = error?.message ?? '';
      field.setAttribute('aria-invalid', String(error !== undefined));
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
        // Keeps a type that the list does not offer, so that it is marked as invalid.
        if (field.value !== value && field.name === 'type') {
          field.add(new Option(value, value, false, true));
        }
      }
    }
    this.#describe();
  }

  /** Summarizes the settings in the line that is visible while the form is closed. */
  #describe() {
    const { libvirt, ...others } = pick(this.values, (name) => !name.startsWith('host-'));
    const version = libvirt && libvirt !== 'newest' ? `libvirt ${libvirt}` : 'libvirt 8.5 and later';
    const parts = Object.entries(others).map(([name, value]) => (value === 'yes' ? name : `${name} ${value}`));
    byId('chosen').textContent = [`for ${version}`, ...parts].join(' · ');
  }
}

const pick = (values, isKept) => Object.fromEntries(Object.entries(values).filter(([name]) => isKept(name)));
