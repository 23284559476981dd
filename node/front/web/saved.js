// SPDX-License-Identifier: MIT
// saved: what the page keeps while its tab lives: the session, so that loading it anew goes on where
// it was, and the key, which is in the address only when the page is opened by a link.

const SESSION = 'hgtp-session';
const KEY = 'hgtp-key';

function read(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
  } catch { /* then it is asked for again */ }
}

export const savedSession = () => JSON.parse(read(SESSION));
export const saveSession = (session) => write(SESSION, session === null ? null : JSON.stringify(session));
export const savedKey = () => read(KEY) || '';
export const saveKey = (key) => write(KEY, key);

/** The key of a link `/#key=...`; it leaves the address bar, and the history, at once. */
export function keyOfAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return key;
}
