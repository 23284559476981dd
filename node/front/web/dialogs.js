// SPDX-License-Identifier: MIT
// dialogs: questions that stop the reader, invitations that don't, and words at the edge, which go by
// themselves and can be read again in the list of notices. Where the keyboard goes when what it was at
// has gone is focus.js's.
import { t } from './i18n.js';
import { make } from './talk_items.js';

const TOAST_MS = 6000;
const TOAST_CHAR_MS = 60; // more than it takes to read one
const TOAST_LONGEST_MS = 180000;
const TOASTS_MAX = 3;
const NOTICES_MAX = 20;
const byId = (id) => document.getElementById(id);

/** Resolves to whether the answer was yes. `isDanger`: it cannot be undone. */
export function ask(question, yes, isDanger = false) {
  const dialog = byId('ask');
  byId('ask-text').textContent = question;
  byId('ask-yes').textContent = yes;
  byId('ask-yes').classList.toggle('danger', isDanger);
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.onclose = null;
      if (dialog.open) dialog.close();
      resolve(answer);
    };
    byId('ask-yes').onclick = () => end(true);
    byId('ask-no').onclick = () => end(false);
    dialog.onclose = () => end(false);
    dialog.showModal();
    byId('ask-yes').focus();
  });
}

let dismissed = null;

/**
 * Shows an invitation until it is answered; a newer one takes the place of an older. It never takes the
 * keyboard from anything: the next blank or Enter belongs to what the person was doing.
 */
export function invite(text) {
  dismissed?.(null);
  const box = byId('invitation');
  byId('invitation-text').textContent = text;
  box.hidden = false;
  return new Promise((resolve) => {
    const end = (answer) => {
      box.hidden = true;
      dismissed = null;
      resolve(answer);
    };
    dismissed = end;
    byId('accept').onclick = () => end(true);
    byId('decline').onclick = () => end(false);
    if (document.activeElement === document.body) box.focus(); // where Tab leads to the answers
  });
}

/** The invitation does not hold any more. */
export function withdrawInvitation() {
  dismissed?.(null);
}

function keep(text, isError) {
  const list = byId('notices');
  const item = make('li', isError ? 'error' : '', text);
  item.dir = 'auto';
  list.prepend(item);
  while (list.childElementCount > NOTICES_MAX) list.lastElementChild.remove();
  byId('notices-section').hidden = false;
}

export function toast(text, isError = false) {
  const item = make('div', isError ? 'toast error' : 'toast');
  const words = make('p', '', text);
  const close = make('button', 'close', t('close'));
  words.dir = 'auto';
  words.tabIndex = 0; // long ones are scrolled by keys, too
  close.type = 'button';
  item.append(words, close);
  const stay = Math.min(TOAST_MS + TOAST_CHAR_MS * text.length, TOAST_LONGEST_MS);
  let timer = 0;
  const leave = () => item.remove();
  const wait = () => { timer = setTimeout(leave, stay); };
  close.addEventListener('click', leave);
  // Nobody is hurried who is reading it.
  for (const begin of ['pointerenter', 'focusin']) item.addEventListener(begin, () => clearTimeout(timer));
  for (const end of ['pointerleave', 'focusout']) item.addEventListener(end, () => { clearTimeout(timer); wait(); });
  wait();
  const toasts = byId('toasts');
  toasts.append(item);
  if (toasts.childElementCount > TOASTS_MAX) toasts.firstElementChild.remove();
  keep(text, isError);
}
