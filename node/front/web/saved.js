// SPDX-License-Identifier: MIT
// saved: what the page keeps. While its tab lives: who is here, and the key, which is in the address
// only when the page is opened by a link. For longer, and for all tabs: who was here last, and each
// one's session, to go on where it was after the tab was loaded anew or closed. Several tabs may have
// different names; of those with one name the newest has the session.

const NAME = 'hgtp-name';
const KEY = 'hgtp-key';
const USER = 'hgtp-user';
const SESSION = 'hgtp-session:'; // and the name
const WRITE_MS = 100;
const OLD_MS = 7 * 86400000;

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

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Who is here, in this tab; null: nobody. */
export const savedName = () => read('sessionStorage', NAME);
export const lastName = () => read('localStorage', USER) || '';

export function saveName(name) {
  write('sessionStorage', NAME, name);
  if (name !== null) write('localStorage', USER, name);
}

export const savedKey = () => read('sessionStorage', KEY) || '';
export const saveKey = (key) => write('sessionStorage', KEY, key);

/** Sessions of names that nobody has come back to have ended long ago. */
export function forgetOldSessions() {
  const names = [];
  try {
    names.push(...Object.keys(localStorage).filter((name) => name.startsWith(SESSION)));
  } catch { /* there is nothing to forget */ }
  for (const name of names) {
    if (!(parsed(read('localStorage', name))?.try > Date.now() - OLD_MS)) write('localStorage', name, null);
  }
}

/** This one's session, as Hgtp.saved() gave it, or null. */
export const savedSession = (name) => parsed(read('localStorage', SESSION + name));

let unwritten = null; // { name, get }
let timer = 0;
let own = ''; // the token that this tab had last

function writeSession() {
  clearTimeout(timer);
  timer = 0;
  if (unwritten === null) return;
  const { name, get } = unwritten;
  const session = get();
  unwritten = null;
  if (session !== null) write('localStorage', SESSION + name, JSON.stringify(session));
  else if (savedSession(name)?.token === own) write('localStorage', SESSION + name, null); // no newer one
}

/** Every message changes it; what `get` gives is written now and then, and when the page goes. */
export function saveSession({ name, token }, get) {
  if (unwritten !== null && unwritten.name !== name) writeSession();
  own = token || own;
  unwritten = { name, get };
  if (timer === 0) timer = setTimeout(writeSession, WRITE_MS);
}

/** Another tab has the session: what it writes stands. */
export function leaveSession() {
  unwritten = null;
}

addEventListener('pagehide', writeSession);

/** `onSession(name, session)`: another tab has written one. */
export function listenForSessions(onSession) {
  addEventListener('storage', ({ key, newValue }) => {
    const session = key?.startsWith(SESSION) ? parsed(newValue) : null;
    if (session !== null) onSession(key.slice(SESSION.length), session);
  });
}

/** The key of a link `/#key=...`; it leaves the address bar, and the history, at once. */
export function keyOfAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return key;
}
