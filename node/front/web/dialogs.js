// SPDX-License-Identifier: MIT
// dialogs: questions that stop the reader, invitations that don't, and short words at the edge.

const TOAST_MS = 6000;
const TOASTS_MAX = 3;
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
      if (document.activeElement === document.body) byId('room-title').focus(); // what had it has gone
      resolve(answer);
    };
    byId('ask-yes').onclick = () => end(true);
    byId('ask-no').onclick = () => end(false);
    dialog.onclose = () => end(false);
    dialog.showModal();
    byId('ask-yes').focus();
  });
}

/** Who writes must not accept something by the next blank or Enter. */
function isWriting() {
  const { activeElement } = document;
  return byId('ask').open || Boolean(activeElement?.matches('input, textarea') && activeElement.value !== '');
}

let dismissed = null;

/** Shows an invitation until it is answered; a newer one takes the place of an older. */
export function invite(text) {
  dismissed?.(null);
  const box = byId('invitation');
  byId('invitation-text').textContent = text;
  box.hidden = false;
  return new Promise((resolve) => {
    const end = (answer) => {
      if (box.contains(document.activeElement)) byId('room-title').focus();
      box.hidden = true;
      dismissed = null;
      resolve(answer);
    };
    dismissed = end;
    byId('accept').onclick = () => end(true);
    byId('decline').onclick = () => end(false);
    if (!isWriting()) byId('accept').focus();
  });
}

/** The invitation does not hold any more. */
export function withdrawInvitation() {
  dismissed?.(null);
}

export function toast(text, isError = false) {
  const item = document.createElement('p');
  item.className = isError ? 'toast error' : 'toast';
  item.textContent = text;
  const toasts = byId('toasts');
  toasts.append(item);
  if (toasts.childElementCount > TOASTS_MAX) toasts.firstElementChild.remove();
  setTimeout(() => item.remove(), TOAST_MS);
}
