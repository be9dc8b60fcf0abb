import { h } from './dom.js';
import { parseJson } from './json.js';

export type Json = Record<string, unknown>;

/** A box for JSON that may be left empty. */
export function jsonBox(placeholder: string, rows = 2): HTMLTextAreaElement {
  return h('textarea', { rows, placeholder, spellcheck: 'false', autocomplete: 'off' });
}

/** What is in a box; undefined where it is empty. @throws Error that names the box */
export function jsonIn(what: string, box: HTMLTextAreaElement | HTMLInputElement): unknown {
  if (box.value.trim() === '') return undefined;
  try {
    return parseJson(box.value);
  } catch (error) {
    throw new Error(`${what} is not JSON: ${(error as Error).message}`);
  }
}

/** An id as it is typed: a whole number, or the text of a UUID with or without quotes. */
export function idIn(text: string): number | bigint | string {
  const trimmed = text.trim().replace(/^"(.*)"$/, '$1');
  return /^\d+$/.test(trimmed) ? (parseJson(trimmed) as number | bigint) : trimmed;
}

export function numberBox(value: number | '', min: number, max: number): HTMLInputElement {
  const box = h('input', { type: 'number', min, max, required: value !== '' });
  box.value = String(value);
  return box;
}

export function selectBox(
  options: readonly (readonly [value: string, text: string])[],
): HTMLSelectElement {
  return h('select', {}, ...options.map(([value, text]) => h('option', { value }, text)));
}

/** A form that does something by its button, and by Enter or Ctrl+Enter in its boxes. */
export function form(onSubmit: () => void, ...children: Node[]): HTMLFormElement {
  const made = h(
    'form',
    {
      class: 'panel',
      onsubmit: (event) => {
        event.preventDefault();
        onSubmit();
      },
    },
    ...children,
  );
  made.addEventListener('keydown', (event) => {
    const isBox = event.target instanceof HTMLTextAreaElement;
    if (isBox && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) made.requestSubmit();
  });
  return made;
}
