// SPDX-License-Identifier: MIT
// app: the page: brings the protocol (hgtp.js) and what is seen (talk_view.js, panels.js, dialogs.js)
// together. What a click does is decided here, what is allowed by the service.
import { ask, invite, toast, withdrawInvitation } from './dialogs.js';
import { focusMain, keepFocus } from './focus.js';
import { Hgtp, REASON } from './hgtp.js';
import { currentLanguage, setLanguage, t, translate, why } from './i18n.js';
import { isTouch, listenForKeys } from './keys.js';
import { LongList } from './long_list.js';
import { canNotify, notifies, notify, switchNotifying } from './notify.js';
import { showMembers, showRooms, showUsers } from './panels.js';
import { forgetOldSessions, keyOfAddress, lastName, leaveSession, listenForSessions, saveDraft, saveKey, saveName,
  saveSession, savedDraft, savedKey, savedName, savedSession } from './saved.js';
import { TalkView } from './talk_view.js';

const AGAIN_MS = 5000; // a session that ends sooner than this after another does so for a reason
const JUST_MS = 30000; // what was said so shortly before a room was lost may have been read by nobody
const NEWS_MS = 1000; // newcomers of so long are told together
const byId = (id) => document.getElementById(id);
// Where the page is, the service is: also behind a path of somebody's proxy.
const talk = new Hgtp({ origin: new URL('.', location).href.replace(/\/$/, '') });
const seen = { name: '', room: null, manager: '', away: [], members: null, membersAway: [], unread: 0 };
const readLists = () => attempt(() => talk.refresh());
const rooms = new LongList(byId('rooms-more'), readLists, () => renderRooms());
const members = new LongList(byId('members-more'), readLists, () => renderPeople());
const users = new LongList(byId('users-more'), readLists, () => renderPeople());
const view = new TalkView({
  scroller: byId('scroller'), messages: byId('messages'), pending: byId('pending'),
  earlier: byId('earlier'), oldest: byId('oldest'), jump: byId('jump'), news: byId('news'),
}, {
  load: (before, count) => talk.history(before, count),
  onUnread: showUnread,
  onRetry: (id) => talk.sayAgain(id),
  onDiscard: (id) => talk.unsay(id),
});

// Doing something, and saying why it did not work -------------------------------------------------

async function attempt(action, onDone) {
  try {
    await action();
    onDone?.();
  } catch (error) {
    toast(why(error), true);
  }
}

let isMoving = false;

/** Going from room to room: one step after the other, also when somebody clicks twice. */
async function move(action, onDone) {
  if (isMoving) return;
  isMoving = true;
  await attempt(action, onDone);
  isMoving = false;
}

const isManager = () => seen.room !== null && seen.manager === seen.name;

/** Where the keyboard goes on; on a touch screen no field is opened unasked. */
function focusOn(id) {
  const target = isTouch() ? byId('room-title') : byId(id);
  if (!document.querySelector('dialog[open]')) target.focus({ preventScroll: true });
}

const focusTalk = () => focusOn('say');

/** Lists that change in a storm are shown once per frame; .now() does not wait for it. */
function onceAFrame(show) {
  let isDue = false;
  const soon = () => {
    if (isDue) return;
    isDue = true;
    const now = () => {
      isDue = false;
      show();
    };
    if (document.hidden) queueMicrotask(now);
    else requestAnimationFrame(now);
  };
  soon.now = show;
  return soon;
}

// The state of the connection ---------------------------------------------------------------------

const STATES = { idle: 'stateIdle', connecting: 'stateConnecting', online: 'stateOnline',
  waiting: 'stateWaiting', replaced: 'stateReplaced', ended: 'stateEnded' };

function setText(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function showState() {
  const { state } = talk;
  const isOffline = state === 'waiting' && !navigator.onLine;
  document.body.dataset.state = state;
  setText('status', t(isOffline ? 'stateOffline' : STATES[state]));
  const seconds = Math.max(1, Math.round((talk.retryAt - Date.now()) / 1000));
  setText('retry', t(state === 'replaced' ? 'continueHere' : 'tryNow', { s: seconds }));
  byId('retry').hidden = state !== 'waiting' && state !== 'replaced';
  setText('me', talk.state === 'idle' ? '' : seen.name);
}

setInterval(() => { if (talk.state === 'waiting') showState(); }, 1000);
for (const event of ['online', 'offline']) addEventListener(event, () => showState());

byId('retry').addEventListener('click', () => {
  if (talk.state === 'waiting') talk.check();
  else if (talk.state === 'replaced') continueHere();
});

document.addEventListener('visibilitychange', () => { if (!document.hidden) talk.check(); });

function showIn(isIn) {
  if (isIn !== byId('welcome').hidden) byId('register-error').textContent = '';
  byId('welcome').hidden = isIn;
  for (const id of ['app', 'tabs', 'unregister', 'help']) byId(id).hidden = !isIn;
  showNotify();
  if (isIn) return;
  byId('name').value = seen.name || lastName();
  byId('key').value = savedKey();
  byId('key-row').hidden = savedKey() !== '';
  byId('name').focus();
}

byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  if (seen.room !== null) showTab('talk');
  focusMain();
});

talk.on('state', (state) => {
  showState();
  if (state === 'ended') comeAgain();
  else if (state === 'replaced') leaveSession();
});

talk.on('save', () => { if (talk.state !== 'replaced') saveSession(talk.session, () => talk.saved()); });

listenForSessions((session) => {
  const isElsewhere = session.name === talk.session?.name && session.try > talk.session.try;
  if (isElsewhere && (talk.state === 'waiting' || talk.state === 'connecting')) talk.giveWay();
});

// Coming in and going -----------------------------------------------------------------------------

let hasAgreed = false; // to take the session over from wherever it is
let comesBackTo = null; // the room that was on the page when the session ended
let takenFrom = null; // the room that this one is not in any more, and nobody has said why
let hasEnded = false; // and it has not been told yet
let unsure = []; // texts that had arrived just before: lost if the room is
let just = []; // { text, at } of what has arrived a moment ago
let endedAt = -AGAIN_MS;

/** The session of this name may be elsewhere: then the person decides. */
async function register(name, key) {
  try {
    await talk.register(name, key, { takesOver: hasAgreed });
  } catch (error) {
    if (!error.canTakeOver || !await ask(t('askElsewhere', { name }), t('continueHere'))) throw error;
    await talk.register(name, key, { takesOver: true });
  }
}

/** `error` null: there is nothing to say but the words. */
function showRefusal(error, words = '') {
  if (byId('welcome').hidden) showIn(false); // else what was typed stays
  byId('register-error').textContent = `${words} ${error === null ? '' : why(error)}`.trim();
  const isOfName = error !== null && [REASON.NAME_TAKEN, REASON.NAME_INVALID].includes(error.reason);
  const isOfKey = error?.reason === REASON.WRONG_DIGEST;
  if (!isOfName) byId('key-row').hidden = false;
  if (isOfKey) saveKey(null);
  byId(isOfKey ? 'key' : 'name').select();
}

async function comeIn(name, key) {
  byId('register').disabled = true;
  byId('register-error').textContent = '';
  hasAgreed = false;
  seen.name = name;
  const earlier = savedSession(name);
  try {
    if (earlier !== null) {
      goOn(earlier);
    } else {
      await register(name, key);
      if (seen.room === null) focusOn('room-name');
    }
    if (key !== '') saveKey(key);
  } catch (error) {
    showRefusal(error);
  }
  byId('register').disabled = false;
}

/** With a session that this browser has kept. */
function goOn(session) {
  seen.name = session.name;
  showIn(true);
  talk.resume(session);
}

/** Another window has taken the session over: of this browser with the same token, or with a new one. */
function continueHere() {
  const { token, userId, try: last, said } = savedSession(talk.session.name) ?? talk.session;
  hasAgreed = true;
  talk.resume({ ...talk.session, token, userId, try: last, said });
}

/** The session has died while the page was open: the same name and key open a new one. */
function comeAgain() {
  const isLoop = performance.now() - endedAt < AGAIN_MS;
  endedAt = performance.now();
  comesBackTo = seen.room ?? takenFrom;
  hasEnded = true;
  unsure = [...unsure, ...just.filter(({ at }) => endedAt - at < JUST_MS).map(({ text }) => text)];
  just = [];
  const unsent = talk.unsent();
  for (const { id } of unsent) view.on.discard(id);
  giveBack(unsent.map(({ text }) => text));
  if (isLoop || savedKey() === '') giveUp(null);
  else registerAgain();
}

async function registerAgain() {
  try {
    await register(seen.name, savedKey());
  } catch (error) {
    if (error.isPassing) setTimeout(registerAgain, AGAIN_MS * Math.random());
    else giveUp(error);
  }
}

function giveUp(error) {
  comesBackTo = null;
  hasEnded = false;
  enterRoom(null);
  showRefusal(error, t('stateEnded'));
  giveBack(unsure.splice(0));
}

/** What may have been lost goes back to where it was written. */
function giveBack(texts) {
  if (texts.length === 0) return;
  const field = byId('say');
  const text = texts.join('\n');
  field.value = field.value === '' ? text : `${text}\n${field.value}`;
  written();
  toast(t('givenBack', { text }), true);
}

byId('register-form').addEventListener('submit', (event) => {
  event.preventDefault();
  comeIn(byId('name').value.trim(), byId('key').value);
});

byId('unregister').addEventListener('click', async () => {
  if (seen.room !== null && !await ask(leaving(t('askLeave', { room: seen.room })), t('unregister'))) return;
  move(() => talk.unregister(), () => {
    saveName(null);
    byId('say').value = '';
    written();
    enterRoom(null);
    showIn(false);
  });
});

// Rooms -------------------------------------------------------------------------------------------

const renderRooms = onceAFrame(() => {
  showRooms(byId('rooms'), rooms.shown(({ name }) => name === seen.room), seen.room, openRoom);
  byId('no-rooms').hidden = rooms.total > 0;
});

talk.on('rooms', (items, total) => {
  rooms.take(items, total);
  renderRooms();
  if (seen.members === null) renderPeople();
});

/** What it means to leave a room is told before. */
function leaving(question) {
  if (!isManager()) return question;
  return `${question} ${t(seen.members?.total === 1 ? 'isLast' : 'handsOver')}`;
}

async function openRoom(name) {
  if (name === seen.room) {
    showTab('talk');
    focusTalk();
    return;
  }
  if (seen.room !== null && !await ask(leaving(t('askSwitch', { room: seen.room, other: name })), t('join'))) return;
  move(async () => {
    if (seen.room !== null) await talk.exit();
    await talk.join(name);
  }, focusTalk);
}

byId('create-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = byId('room-name').value.trim();
  if (name === '') return;
  move(() => talk.create(name), () => {
    byId('room-name').value = '';
    focusTalk();
  });
});

byId('leave').addEventListener('click', async () => {
  if (await ask(leaving(t('askLeave', { room: seen.room })), t('leave'))) move(() => talk.exit());
});

byId('delete-room').addEventListener('click', async () => {
  if (await ask(t('askDelete', { room: seen.room }), t('deleteRoom'), true)) move(() => talk.deleteRoom());
});

talk.on('session', ({ user, room, last, manager, isSameRoom }) => {
  seen.name = user;
  seen.manager = manager;
  hasAgreed = false;
  saveName(user);
  if (writer !== user) {
    writer = user;
    byId('say').value = savedDraft(user);
  }
  showIn(true);
  showState();
  if (room === null && comesBackTo !== null) {
    comeBack();
    return;
  }
  tellEnd(null, room !== seen.room);
  comesBackTo = null;
  const wasIn = isMoving || wasRemoved ? null : seen.room;
  wasRemoved = false;
  if (isSameRoom && room === seen.room) {
    renderPeople();
    return;
  }
  enterRoom(room);
  takenFrom = room === null ? wasIn : null; // an ending session leaves its room first
  if (room === null) return;
  view.loadLast((talk.session.after || last) + 1);
  for (const said of talk.unsent()) if (said.room === room) view.said(said);
});

/** A new session begins in no room; the page goes back to the one that it shows. */
async function comeBack() {
  const room = comesBackTo;
  comesBackTo = null;
  try {
    await talk.join(room);
    tellEnd(null, false);
  } catch (error) {
    enterRoom(null);
    tellEnd(t('endedRoom', { room, why: why(error) }), true);
  }
}

/** The session had ended and there is a new one. `isLost`: not in the room of before. */
function tellEnd(words, isLost) {
  if (!hasEnded) return;
  hasEnded = false;
  toast(words ?? t('endedBack'), isLost);
  const lost = unsure.splice(0);
  if (isLost) giveBack(lost);
}

function enterRoom(room) {
  const hadFocus = byId('talk-panel').contains(document.activeElement);
  seen.room = room;
  seen.members = null;
  members.clear();
  document.body.dataset.room = room ?? '';
  view.clear(seen.name);
  byId('room-title').textContent = byId('room-title').title = room ?? '';
  for (const id of ['scroller', 'say-form', 'members-section']) byId(id).hidden = room === null;
  byId('no-room').hidden = room !== null;
  renderRooms();
  renderPeople();
  showUnread(0);
  showTab(room === null ? 'rooms' : 'talk');
  withdrawInvitation();
  grow();
  if (room !== null) focusTalk();
  else if (hadFocus) focusOn('room-name');
}

// People ------------------------------------------------------------------------------------------

/** Until the members are told, the list of rooms says how many there are. */
function countMembers() {
  return seen.members?.total ?? rooms.items.find(({ name }) => name === seen.room)?.members ?? '';
}

const renderPeople = onceAFrame(() => {
  const mine = isManager();
  const isMe = (name) => name === seen.name;
  if (!mine && document.activeElement === byId('delete-room')) focusTalk();
  byId('leave').hidden = seen.room === null;
  byId('delete-room').hidden = !mine;
  byId('members-count').textContent = String(countMembers());
  byId('users-count').textContent = String(users.total);
  showMembers(byId('members'), { users: members.shown((name) => isMe(name) || name === seen.manager),
    away: seen.membersAway }, seen.manager, seen.name, mine ? { kick, promote } : null);
  showUsers(byId('users'), { users: users.shown(isMe), away: seen.away }, new Set(members.items), seen.name,
    mine ? inviteUser : null);
});

let wasRemoved = false; // and has been told
let newcomers = [];
let newsTimer = 0;

/** Who listens to a screen reader hears who comes; in a room the talk says so itself. Of a first page nobody
 * knows who is new. */
function tellNewcomers(names, total) {
  const known = new Set(users.items);
  if (known.size > 0 && users.isWhole && names.length >= total) {
    newcomers.push(...names.filter((user) => !known.has(user) && user !== seen.name));
  }
  if (newcomers.length === 0 || newsTimer !== 0) return;
  newsTimer = setTimeout(() => {
    const [user, ...others] = newcomers.splice(0);
    newsTimer = 0;
    byId('news').textContent = others.length > 0 ? t('cameMany', { n: others.length + 1 }) : t('came', { user });
  }, NEWS_MS);
}

talk.on('users', (names, away, total) => {
  tellNewcomers(names, total);
  if (users.take(names, total)) seen.away = away;
  renderPeople();
});

talk.on('members', (told) => {
  if (told.room !== seen.room) return;
  seen.members = told;
  if (members.take(told.users, told.total)) seen.membersAway = told.away;
  renderPeople();
});

talk.on('manager', (name) => {
  seen.manager = name;
  renderPeople();
});

async function promote(user) {
  if (await ask(t('askPromote', { user }), t('promote'))) attempt(() => talk.makeManager(user));
}

function inviteUser(user) {
  toast(t('inviting', { user }));
  attempt(() => talk.invite(user), () => toast(t('inviteAccepted', { user })));
}

async function kick(user) {
  if (await ask(t('askKick', { user }), t('kick'), true)) attempt(() => talk.remove(user));
}

talk.on('invited', async ({ room, answer }) => {
  notify(t('title'), t('invitedTo', { room }));
  const accepts = await invite(t('invitedTo', { room }));
  if (accepts !== null) answer(accepts);
});

talk.on('removed', ({ isClosed, answer }) => {
  answer(true);
  wasRemoved = seen.room !== null;
  if (seen.room === null) toast(t('inviteLate'), true);
  else toast(t(isClosed ? 'roomClosed' : 'removedFrom', { room: seen.room }));
});

// Talk --------------------------------------------------------------------------------------------

talk.on('message', (entry) => {
  view.add(entry);
  if (entry.from !== seen.name) notify(entry.room, `${entry.from}: ${entry.message}`);
});
talk.on('notice', (entry) => view.add(entry));
talk.on('announced', ({ notice }) => {
  toast(notice);
  notify(t('title'), notice);
});
talk.on('gap', (gap) => view.add({ ...gap, seq: gap.to }));
talk.on('lost', (lost) => view.lose(lost));
talk.on('said', (said) => {
  if (said.state === 'sent') just = [...just, { text: said.text, at: performance.now() }].slice(-10);
  if (said.room === seen.room) view.said(said);
  else if (said.state === 'failed') toast(t('lost', { text: said.text }), true);
});

function say() {
  const text = byId('say').value;
  if (text.trim() === '' || seen.room === null) return;
  if (talk.state === 'replaced' || talk.state === 'ended' || talk.state === 'idle') {
    toast(t(talk.state === 'replaced' ? 'sayElsewhere' : 'sayEnded'), true);
    return;
  }
  talk.say(text);
  byId('say').value = '';
  written();
}

let writer = ''; // whose words stand in the field

/** What stands in the field is another text now. */
function written() {
  grow();
  saveDraft(seen.name, byId('say').value);
}

/** The field grows with what is written, up to what style.css allows. */
function grow() {
  const field = byId('say');
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}

byId('say').addEventListener('input', written);
byId('say').addEventListener('keydown', (event) => {
  // 229: an input method has this Enter, though some browsers say the composition is over.
  const isComposed = event.isComposing || event.keyCode === 229;
  if (event.key === 'Enter' && !event.shiftKey && !isComposed) {
    event.preventDefault();
    say();
  }
});
byId('say-form').addEventListener('submit', (event) => {
  event.preventDefault();
  say();
  byId('say').focus();
});

function showUnread(count) {
  const badge = byId('talk-badge');
  badge.hidden = count === 0;
  badge.textContent = String(count);
  seen.unread = count;
  const place = seen.room === null ? t('title') : `${seen.room} · ${t('title')}`;
  const title = count > 0 ? `(${count}) ${place}` : place;
  if (document.title !== title) document.title = title;
}

// Views, keys and languages -----------------------------------------------------------------------

function showTab(tab) {
  document.body.dataset.tab = tab;
  for (const button of byId('tabs').children) {
    button.setAttribute('aria-current', String(button.dataset.tab === tab));
  }
}

for (const button of byId('tabs').children) {
  button.addEventListener('click', () => showTab(button.dataset.tab));
}

listenForKeys({
  rooms: () => {
    showTab('rooms');
    (byId('rooms').querySelector('button') || byId('room-name')).focus();
  },
  talk: () => {
    showTab('talk');
    byId(seen.room === null ? 'room-title' : 'say').focus();
  },
  people: () => {
    showTab('people');
    (byId('people-panel').querySelector('button') || byId('users-heading')).focus();
  },
  invitation: () => { if (!byId('invitation').hidden) byId('accept').focus(); },
  latest: () => {
    view.toEnd();
    byId('say').focus();
  },
});

byId('language').addEventListener('change', ({ target }) => {
  setLanguage(target.value);
  view.retell();
  showAll();
});

function showNotify() {
  byId('notify').hidden = byId('app').hidden || !canNotify();
  setText('notify', t(notifies() ? 'notifyOn' : 'notifyOff'));
}

byId('notify').addEventListener('click', async () => {
  if (!await switchNotifying()) toast(t('notifyNo'), true);
  showNotify();
});

function showAll() {
  showState();
  showNotify();
  showUnread(seen.unread);
  renderRooms.now();
  renderPeople.now();
}

// The beginning -----------------------------------------------------------------------------------

function takeKeyOfAddress() {
  const linked = keyOfAddress();
  if (linked !== null) saveKey(linked);
}

addEventListener('hashchange', () => {
  takeKeyOfAddress();
  if (!byId('welcome').hidden) showIn(false);
});

keepFocus();
translate();
byId('language').value = currentLanguage();
showTab('rooms');
takeKeyOfAddress();
forgetOldSessions();
const earlier = savedSession(savedName());
if (earlier !== null) goOn(earlier);
else showIn(false);
showAll();
