import { apiKey, setApiKey } from './api.js';
import { h, labelled } from './dom.js';

/** Opens a dialog, and says whether it was ended by its button. */
function ask(dialog: HTMLDialogElement): Promise<boolean> {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}

function dialogOf(
  title: string,
  action: string,
  ...children: (Node | string)[]
): HTMLDialogElement {
  const yes = h('button', { type: 'submit', class: 'primary', value: 'yes' }, action);
  // Not sent anywhere: it only closes the dialog.
  const form = h(
    'form',
    { method: 'dialog' },
    h('h2', {}, title),
    ...children,
    h('p', { class: 'row end' }, cancelButton(), yes),
  );
  return h('dialog', { 'aria-label': title }, form);
}

function cancelButton(): HTMLElement {
  return h(
    'button',
    {
      type: 'button',
      onclick: (event) => (event.target as HTMLElement).closest('dialog')?.close('no'),
    },
    'Cancel',
  );
}

/** Asks before what cannot be undone; where a name is given, it must be typed. */
export function confirmed(
  title: string,
  text: string,
  action: string,
  name?: string,
): Promise<boolean> {
  const dialog = dialogOf(title, action, h('p', {}, text));
  if (name !== undefined) {
    const input = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
    const yes = dialog.querySelector<HTMLButtonElement>('button.primary')!;
    yes.disabled = true;
    input.addEventListener('input', () => {
      yes.disabled = input.value !== name;
    });
    dialog.querySelector('p')!.after(labelled(`Type ${name} to go on`, input));
  }
  dialog.querySelector('button.primary')!.classList.add('danger');
  return ask(dialog);
}

/** Asks for the key; whether it was changed. */
export async function askForKey(): Promise<boolean> {
  const input = h('input', { type: 'password', autocomplete: 'off', spellcheck: 'false' });
  input.value = apiKey();
  const hint = 'Kept until this tab is closed, and sent to this server alone.';
  const dialog = dialogOf('API key', 'Use it', labelled('Key', input, hint));
  if (!(await ask(dialog))) return false;
  setApiKey(input.value.trim());
  return true;
}
