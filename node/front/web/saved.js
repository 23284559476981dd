// SPDX-License-Identifier: MIT
// saved: what the page keeps. While its tab lives: who is here, and the key, which is in the address
// only when the page is opened by a link. For longer, and for all tabs: who was here last, and each
// one's session, to go on where it was after the tab was loaded anew or closed. Several tabs may have
// different names; of those with one name the newest has the session. Where the browser forbids all of
// that, it is kept in memory as long as the page is open.

const PLACE = new URL('.', location).pathname; // several services may share an origin
const PREFIX = PLACE === '/' ? 'hgtp' : `hgtp${PLACE}`;
const NAME = `${PREFIX}-name`;
const KEY = `${PREFIX}-key`;
const DRAFT = `${PREFIX}-draft`;
const USER = `${PREFIX}-user`;
const SESSION = `${PREFIX}-session:`; // and the name's key
const WRITE_MS = 100;
const OLD_MS = 7 * 86400000;

const inMemory = new Map(); // what the browser has refused to keep

function read(storage, name) {
  if (inMemory.has(name)) return inMemory.get(name);
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
    inMemory.delete(name);
  } catch {
    inMemory.set(name, value);
  }
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

/** What this one was writing, in this tab. */
export function savedDraft(name) {
  const draft = parsed(read('sessionStorage', DRAFT));
  return draft?.name === name ? draft.text : '';
}

export function saveDraft(name, text) {
  write('sessionStorage', DRAFT, text === '' ? null : JSON.stringify({ name, text }));
}

export const readSetting = (name) => read('localStorage', `${PREFIX}-${name}`);
export const writeSetting = (name, value) => write('localStorage', `${PREFIX}-${name}`, value);

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

/** Near the service's own: what differs only in width, case, blanks or invisible characters is one name. */
function nameKey(name) {
  return name.normalize('NFKC').toLowerCase().replace(/[\p{Default_Ignorable_Code_Point}\u2800]/gu, '')
    .replace(/\s+/g, ' ').trim();
}

const sessionOf = (name) => SESSION + nameKey(name);

/** This one's session, as Hgtp.saved() gave it, or null; `name` null: nobody's. */
export const savedSession = (name) => (name === null ? null : parsed(read('localStorage', sessionOf(name))));

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
  if (session !== null) write('localStorage', sessionOf(name), JSON.stringify(session));
  else if (savedSession(name)?.token === own) write('localStorage', sessionOf(name), null); // no newer one
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

/** `onSession(session)`: another tab has written one. */
export function listenForSessions(onSession) {
  addEventListener('storage', ({ key, newValue }) => {
    const session = key?.startsWith(SESSION) ? parsed(newValue) : null;
    if (session !== null) onSession(session);
  });
}

/** The key of a link `/#key=...`; it leaves the address bar, and the history, at once. */
export function keyOfAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return key;
}
