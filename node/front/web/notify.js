// SPDX-License-Identifier: MIT
// notify: tells somebody who looks at something else that there is news, if he wants it and the browser
// allows it. What is worth telling is app.js's.
import { readSetting, writeSetting } from './saved.js';

const WANTED = 'notify';
const WORDS_MAX = 200;
const isThere = () => 'Notification' in window && window.isSecureContext;

/** Whether there is anything to ask the person for. */
export const canNotify = () => isThere() && Notification.permission !== 'denied';
export const notifies = () => canNotify() && Notification.permission === 'granted' && readSetting(WANTED) === 'yes';

/** The other way round from now on. False: the browser does not allow it. */
export async function switchNotifying() {
  if (notifies()) {
    writeSetting(WANTED, null);
    return true;
  }
  if (await Notification.requestPermission() !== 'granted') return false;
  writeSetting(WANTED, 'yes');
  return true;
}

/** One at a time per title: a newer one takes the place of an older. */
export function notify(title, words) {
  if (!document.hidden || !notifies()) return;
  try {
    const note = new Notification(title, { body: words.slice(0, WORDS_MAX), tag: title, icon: 'web/icon.svg' });
    note.onclick = () => {
      window.focus();
      note.close();
    };
  } catch { /* some browsers have the name only */ }
}
