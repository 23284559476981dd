// SPDX-License-Identifier: MIT
// app: the page: brings the protocol (hgtp.js) and what is seen (talk_view.js, panels.js, dialogs.js)
// together. What a click does is decided here, what is allowed by the service.
import { ask, invite, toast, withdrawInvitation } from './dialogs.js';
import { Hgtp } from './hgtp.js';
import { currentLanguage, setLanguage, t, translate, why } from './i18n.js';
import { showMembers, showRooms, showUsers } from './panels.js';
import { keyOfAddress, saveKey, saveSession, savedKey, savedSession } from './saved.js';
import { TalkView } from './talk_view.js';

const byId = (id) => document.getElementById(id);
const talk = new Hgtp();
const seen = { rooms: [], users: [], members: { users: [] }, room: null, name: '' };
const view = new TalkView({
  scroller: byId('scroller'), messages: byId('messages'), pending: byId('pending'),
  earlier: byId('earlier'), jump: byId('jump'),
}, {
  load: (before, count) => talk.history(before, count),
  onUnread: showUnread,
  onRetry: (id) => talk.sayAgain(id),
  onDiscard: (id) => talk.outbox.delete(id),
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

const isManager = () => seen.room !== null && seen.members.manager === seen.name;

// The state of the connection ---------------------------------------------------------------------

function showState() {
  const { state } = talk;
  document.body.dataset.state = state;
  const seconds = Math.max(1, Math.round((talk.retryAt - Date.now()) / 1000));
  const words = { idle: 'stateIdle', connecting: 'stateConnecting', online: 'stateOnline',
    waiting: 'stateWaiting', replaced: 'stateReplaced', ended: 'stateEnded' }[state];
  byId('status').textContent = t(words, { s: seconds });
}

setInterval(() => { if (talk.state === 'waiting') showState(); }, 1000);

function showIn(isIn) {
  byId('welcome').hidden = isIn;
  for (const id of ['app', 'tabs', 'unregister']) byId(id).hidden = !isIn;
  if (!isIn) {
    byId('name').value = seen.name;
    byId('key').value = savedKey();
    byId('key-row').hidden = savedKey() !== '';
    byId('name').focus();
  }
}

talk.on('state', (state) => {
  showState();
  if (state === 'ended') {
    enterRoom(null);
    registerAgain();
  }
});

/** The session has died while the page was open: the same name and key open a new one. */
async function registerAgain() {
  try {
    await talk.register(seen.name, savedKey());
  } catch (error) {
    byId('register-error').textContent = why(error);
    showIn(false);
  }
}

talk.on('save', saveSession);

// Coming in and going -----------------------------------------------------------------------------

async function register(name, key) {
  byId('register').disabled = true;
  byId('register-error').textContent = '';
  seen.name = name;
  try {
    await talk.register(name, key);
    saveKey(key);
    showIn(true);
    byId('room-name').focus();
  } catch (error) {
    byId('register-error').textContent = why(error);
    if (error.reason === 6) {
      saveKey(null);
      byId('key-row').hidden = false;
      byId('key').focus();
    } else {
      byId('name').focus();
    }
  }
  byId('register').disabled = false;
}

byId('register-form').addEventListener('submit', (event) => {
  event.preventDefault();
  register(byId('name').value.trim(), byId('key').value);
});

byId('unregister').addEventListener('click', () => {
  if (seen.room !== null) {
    toast(t('unregisterInRoom'), true);
    return;
  }
  attempt(() => talk.unregister(), () => showIn(false));
});

// Rooms -------------------------------------------------------------------------------------------

talk.on('rooms', (rooms) => {
  seen.rooms = rooms;
  renderRooms();
});

function renderRooms() {
  showRooms(byId('rooms'), seen.rooms, seen.room, openRoom);
  byId('no-rooms').hidden = seen.rooms.length > 0;
}

async function openRoom(name) {
  if (name === seen.room) {
    showTab('talk');
    return;
  }
  if (seen.room !== null) {
    if (isManager()) {
      toast(t('managerStays', { room: seen.room }), true);
      return;
    }
    if (!await ask(t('askSwitch', { room: seen.room, other: name }), t('leave'))) return;
  }
  attempt(async () => {
    if (seen.room !== null) await talk.exit();
    await talk.join(name);
  }, () => byId('say').focus());
}

byId('create-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = byId('room-name').value.trim();
  attempt(() => talk.create(name), () => {
    byId('room-name').value = '';
    byId('say').focus();
  });
});

byId('leave').addEventListener('click', async () => {
  if (await ask(t('askLeave', { room: seen.room }), t('leave'))) attempt(() => talk.exit());
});

byId('delete-room').addEventListener('click', async () => {
  if (await ask(t('askDelete', { room: seen.room }), t('deleteRoom'))) attempt(() => talk.deleteRoom());
});

talk.on('session', ({ user, room, last, isSameRoom }) => {
  seen.name = user;
  showIn(true);
  if (!isSameRoom || room !== seen.room) {
    enterRoom(room);
    if (room !== null) view.loadLast((talk.session.after || last) + 1);
  }
});

function enterRoom(room) {
  seen.room = room;
  seen.members = { users: [] };
  document.body.dataset.room = room ?? '';
  view.clear(seen.name);
  byId('room-title').textContent = room ?? '';
  for (const id of ['scroller', 'say-form', 'members-section']) byId(id).hidden = room === null;
  byId('no-room').hidden = room !== null;
  renderRooms();
  renderPeople();
  showTab(room === null ? 'rooms' : 'talk');
  withdrawInvitation();
}

// People ------------------------------------------------------------------------------------------

talk.on('users', (users) => {
  seen.users = users;
  renderPeople();
});

talk.on('members', (members) => {
  if (members.room !== seen.room) return;
  seen.members = members;
  renderPeople();
});

function renderPeople() {
  const mine = isManager();
  byId('leave').hidden = seen.room === null || mine;
  byId('delete-room').hidden = !mine;
  showMembers(byId('members'), seen.members, seen.name, mine ? kick : null);
  showUsers(byId('users'), seen.users, seen.members.users, seen.name, mine ? inviteUser : null);
}

function inviteUser(user) {
  toast(t('inviting', { user }));
  attempt(() => talk.invite(user), () => toast(t('inviteAccepted', { user })));
}

async function kick(user) {
  if (await ask(t('askKick', { user }), t('kick'))) attempt(() => talk.remove(user));
}

talk.on('invited', async ({ room, answer }) => {
  const accepts = await invite(t('invitedTo', { room }));
  if (accepts !== null) answer(accepts);
});

talk.on('removed', ({ answer }) => {
  answer(true);
  if (seen.room !== null) toast(t('removedFrom', { room: seen.room }));
});

// Talk --------------------------------------------------------------------------------------------

talk.on('message', (entry) => view.add(entry));
talk.on('notice', (entry) => view.add(entry));
talk.on('gap', (gap) => view.add({ ...gap, seq: gap.to }));
talk.on('said', (said) => view.said(said));

function say() {
  const text = byId('say').value.trim();
  if (text === '' || seen.room === null) return;
  talk.say(text);
  byId('say').value = '';
  grow();
}

/** The field grows with what is written, up to what style.css allows. */
function grow() {
  const field = byId('say');
  field.rows = Math.min(field.value.split('\n').length, 6);
}

byId('say').addEventListener('input', grow);
byId('say').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
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
  document.title = count > 0 ? `(${count}) ${t('title')}` : t('title');
}

// Views and languages -----------------------------------------------------------------------------

function showTab(tab) {
  document.body.dataset.tab = tab;
  for (const button of byId('tabs').children) {
    button.setAttribute('aria-current', String(button.dataset.tab === tab));
  }
}

for (const button of byId('tabs').children) {
  button.addEventListener('click', () => showTab(button.dataset.tab));
}

byId('language').addEventListener('change', ({ target }) => {
  setLanguage(target.value);
  showAll();
});

function showAll() {
  showState();
  renderRooms();
  renderPeople();
}

// The beginning -----------------------------------------------------------------------------------

translate();
byId('language').value = currentLanguage();
showTab('rooms');
const linked = keyOfAddress();
if (linked !== null) saveKey(linked);
const earlier = savedSession();
if (earlier !== null) {
  seen.name = earlier.name;
  showIn(true);
  talk.resume(earlier);
} else {
  showIn(false);
}
showAll();
