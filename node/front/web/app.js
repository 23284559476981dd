// SPDX-License-Identifier: MIT
// app: the page: brings the protocol (hgtp.js) and what is seen (talk_view.js, panels.js, dialogs.js)
// together. What a click does is decided here, what is allowed by the service.
import { ask, invite, toast, withdrawInvitation } from './dialogs.js';
import { Hgtp, REASON } from './hgtp.js';
import { currentLanguage, setLanguage, t, translate, why } from './i18n.js';
import { isTouch, listenForKeys } from './keys.js';
import { showMembers, showRooms, showUsers } from './panels.js';
import { keyOfAddress, saveKey, saveSession, saveUser, savedKey, savedSession, savedUser } from './saved.js';
import { TalkView } from './talk_view.js';

const AGAIN_MS = 5000; // a session that ends sooner than this after another does so for a reason
const LOST_CHARS = 60;
const byId = (id) => document.getElementById(id);
const talk = new Hgtp();
const seen = { rooms: [], users: [], members: { users: [] }, room: null, name: '', unread: 0 };
const view = new TalkView({
  scroller: byId('scroller'), messages: byId('messages'), pending: byId('pending'),
  earlier: byId('earlier'), jump: byId('jump'),
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

const isManager = () => seen.room !== null && seen.members.manager === seen.name;

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
  document.body.dataset.state = state;
  setText('status', t(STATES[state]));
  const seconds = Math.max(1, Math.round((talk.retryAt - Date.now()) / 1000));
  setText('retry', t(state === 'replaced' ? 'continueHere' : 'tryNow', { s: seconds }));
  byId('retry').hidden = state !== 'waiting' && state !== 'replaced';
  setText('me', talk.state === 'idle' ? '' : seen.name);
}

setInterval(() => { if (talk.state === 'waiting') showState(); }, 1000);

byId('retry').addEventListener('click', () => {
  if (talk.state === 'waiting') talk.check();
  else if (talk.state === 'replaced') talk.resume();
});

document.addEventListener('visibilitychange', () => { if (!document.hidden) talk.check(); });

function showIn(isIn) {
  if (isIn !== byId('welcome').hidden) byId('register-error').textContent = '';
  byId('welcome').hidden = isIn;
  for (const id of ['app', 'tabs', 'unregister', 'help']) byId(id).hidden = !isIn;
  if (isIn) return;
  byId('name').value = seen.name || savedUser()?.name || '';
  byId('key').value = savedKey();
  byId('key-row').hidden = savedKey() !== '';
  byId('name').focus();
}

let endedAt = -AGAIN_MS;

talk.on('state', (state) => {
  showState();
  if (state !== 'ended') return;
  const { room } = seen;
  const isLoop = performance.now() - endedAt < AGAIN_MS;
  endedAt = performance.now();
  enterRoom(null);
  if (isLoop) showIn(false);
  else registerAgain(room);
});

/** The session has died while the page was open: the same name and key open a new one. */
async function registerAgain(room) {
  try {
    await talk.register(seen.name, savedKey(), talk.session.userId);
  } catch (error) {
    if (error.isPassing) {
      setTimeout(() => registerAgain(room), AGAIN_MS * Math.random());
      return;
    }
    showIn(false);
    byId('register-error').textContent = `${t('stateEnded')} ${why(error)}`;
    return;
  }
  if (room === null) return;
  talk.join(room).catch(() => toast(t('removedFrom', { room }), true));
}

talk.on('save', () => saveSession(() => talk.saved()));

// Coming in and going -----------------------------------------------------------------------------

async function register(name, key) {
  byId('register').disabled = true;
  byId('register-error').textContent = '';
  seen.name = name;
  const known = savedUser();
  try {
    await talk.register(name, key, known?.name === name ? known.userId : undefined);
    saveKey(key);
    saveUser({ name, userId: talk.session.userId });
    showIn(true);
    if (seen.room === null) focusOn('room-name');
  } catch (error) {
    byId('register-error').textContent = why(error);
    if (error.reason === REASON.WRONG_DIGEST) {
      saveKey(null);
      byId('key-row').hidden = false;
      byId('key').select();
    } else {
      byId('name').select();
    }
  }
  byId('register').disabled = false;
}

byId('register-form').addEventListener('submit', (event) => {
  event.preventDefault();
  register(byId('name').value.trim(), byId('key').value);
});

byId('unregister').addEventListener('click', async () => {
  const { room } = seen;
  const mine = isManager();
  if (room !== null && !await ask(t(mine ? 'askDelete' : 'askLeave', { room }), t('unregister'), mine)) return;
  move(async () => {
    if (room !== null && room === seen.room) await (mine ? talk.deleteRoom() : talk.exit());
    await talk.unregister();
  }, () => showIn(false));
});

// Rooms -------------------------------------------------------------------------------------------

const renderRooms = onceAFrame(() => {
  showRooms(byId('rooms'), seen.rooms, seen.room, openRoom);
  byId('no-rooms').hidden = seen.rooms.length > 0;
});

talk.on('rooms', (rooms) => {
  seen.rooms = rooms;
  renderRooms();
});

async function openRoom(name) {
  if (name === seen.room) {
    showTab('talk');
    focusTalk();
    return;
  }
  if (isManager()) {
    toast(t('managerStays', { room: seen.room }), true);
    return;
  }
  if (seen.room !== null && !await ask(t('askSwitch', { room: seen.room, other: name }), t('join'))) return;
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
  if (await ask(t('askLeave', { room: seen.room }), t('leave'))) move(() => talk.exit());
});

byId('delete-room').addEventListener('click', async () => {
  if (await ask(t('askDelete', { room: seen.room }), t('deleteRoom'), true)) move(() => talk.deleteRoom());
});

talk.on('session', ({ user, room, last, isSameRoom }) => {
  seen.name = user;
  showIn(true);
  showState();
  if (isSameRoom && room === seen.room) return;
  enterRoom(room);
  if (room === null) return;
  view.loadLast((talk.session.after || last) + 1);
  for (const said of talk.unsent()) if (said.room === room) view.said(said);
});

function enterRoom(room) {
  const hadFocus = byId('talk-panel').contains(document.activeElement);
  seen.room = room;
  seen.members = { users: [] };
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
  if (room !== null) focusTalk();
  else if (hadFocus) focusOn('room-name');
}

// People ------------------------------------------------------------------------------------------

const renderPeople = onceAFrame(() => {
  const mine = isManager();
  byId('leave').hidden = seen.room === null || mine;
  byId('delete-room').hidden = !mine;
  byId('members-count').textContent = String(seen.members.users.length);
  byId('users-count').textContent = String(seen.users.length);
  showMembers(byId('members'), seen.members, seen.name, mine ? kick : null);
  showUsers(byId('users'), seen.users, seen.members.users, seen.name, mine ? inviteUser : null);
});

talk.on('users', (users) => {
  seen.users = users;
  renderPeople();
});

talk.on('members', (members) => {
  if (members.room !== seen.room) return;
  seen.members = members;
  renderPeople();
});

function inviteUser(user) {
  toast(t('inviting', { user }));
  attempt(() => talk.invite(user), () => toast(t('inviteAccepted', { user })));
}

async function kick(user) {
  if (await ask(t('askKick', { user }), t('kick'), true)) attempt(() => talk.remove(user));
}

talk.on('invited', async ({ room, answer }) => {
  const accepts = await invite(t('invitedTo', { room }));
  if (accepts !== null) answer(accepts);
});

talk.on('removed', ({ isClosed, answer }) => {
  answer(true);
  if (seen.room === null) toast(t('inviteLate'), true);
  else toast(t(isClosed ? 'roomClosed' : 'removedFrom', { room: seen.room }));
});

// Talk --------------------------------------------------------------------------------------------

talk.on('message', (entry) => view.add(entry));
talk.on('notice', (entry) => view.add(entry));
talk.on('announced', ({ notice }) => toast(notice));
talk.on('gap', (gap) => view.add({ ...gap, seq: gap.to }));
talk.on('said', (said) => {
  if (said.room === seen.room) view.said(said);
  else if (said.state === 'failed') toast(t('lost', { text: said.text.slice(0, LOST_CHARS) }), true);
});

function say() {
  const text = byId('say').value;
  if (text.trim() === '' || seen.room === null) return;
  talk.say(text);
  byId('say').value = '';
  grow();
}

/** The field grows with what is written, up to what style.css allows. */
function grow() {
  const field = byId('say');
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}

byId('say').addEventListener('input', grow);
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

function showAll() {
  showState();
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

translate();
byId('language').value = currentLanguage();
showTab('rooms');
takeKeyOfAddress();
const earlier = savedSession();
if (earlier !== null) {
  seen.name = earlier.name;
  showIn(true);
  talk.resume(earlier);
} else {
  showIn(false);
}
showAll();
