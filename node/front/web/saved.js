// SPDX-License-Identifier: MIT
// saved: what the page keeps. While its tab lives: the session, so that loading it anew goes on where
// it was, and the key, which is in the address only when the page is opened by a link. For longer:
// who used it last, to be the same user again after the tab was closed.

const SESSION = 'hgtp-session';
const KEY = 'hgtp-key';
const USER = 'hgtp-user';
const WRITE_MS = 100;

function read(storage, name) {
  try {
    return window[storage].getItem(name);
  } catch {
    return null; // a browser may forbid it
  }
}

function write(storage, name, value) {
  try {
    if (value === null) window[storage].removeItem(name);
    else window[storage].setItem(name, value);
  } catch { /* then it is asked for again */ }
}

function readObject(storage, name) {
  try {
    return JSON.parse(read(storage, name));
  } catch {
    return null;
  }
}

export const savedSession = () => readObject('sessionStorage', SESSION);
export const savedKey = () => read('sessionStorage', KEY) || '';
export const saveKey = (key) => write('sessionStorage', KEY, key);

/** { name, userId } or null. */
export const savedUser = () => readObject('localStorage', USER);
export const saveUser = (user) => write('localStorage', USER, JSON.stringify(user));

let unwritten = null;
let timer = 0;

function writeSession() {
  clearTimeout(timer);
  timer = 0;
  if (unwritten === null) return;
  const session = unwritten();
  write('sessionStorage', SESSION, session === null ? null : JSON.stringify(session));
  unwritten = null;
}

/** Every message changes it; what `get` gives is written now and then, and when the page goes. */
export function saveSession(get) {
  unwritten = get;
  if (timer === 0) timer = setTimeout(writeSession, WRITE_MS);
}

addEventListener('pagehide', writeSession);

/** The key of a link `/#key=...`; it leaves the address bar, and the history, at once. */
export function keyOfAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return key;
}
