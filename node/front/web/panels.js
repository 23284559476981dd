// SPDX-License-Identifier: MIT
// panels: the lists beside the talk: rooms with their numbers of members, who is in this room, who is
// here at all. They show what the service said; what a click means is app.js's.
import { t } from './i18n.js';
import { avatar, make } from './talk_items.js';

function button(className, text, label, onClick) {
  const element = make('button', className, text);
  element.type = 'button';
  element.setAttribute('aria-label', label);
  element.addEventListener('click', onClick);
  return element;
}

/** Puts items into a list; the keyboard stays where it was, or at the list if that is gone. */
function fill(list, items, keyName) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.closest('li')?.dataset[keyName];
  const className = focused?.className;
  list.replaceChildren(...items);
  if (key === undefined) return;
  const again = [...list.children].find((item) => item.dataset[keyName] === key);
  const target = again?.getElementsByClassName(className)[0] ?? list;
  if (target === list) list.tabIndex = -1;
  target.focus();
}

const byName = (a, b) => a.localeCompare(b);

export function showRooms(list, rooms, current, onOpen) {
  const items = [...rooms].sort((a, b) => byName(a.name, b.name)).map(({ name, members }) => {
    const item = make('li', name === current ? 'current' : '');
    item.dataset.room = name;
    const open = make('button', 'open');
    open.type = 'button';
    open.addEventListener('click', () => onOpen(name));
    if (name === current) open.setAttribute('aria-current', 'true');
    // Read out: "den, 2 members".
    open.append(make('bdi', 'name', name), make('span', 'unseen', ', '), make('span', 'count', String(members)),
      make('span', 'unseen', t(members === 1 ? 'members1' : 'membersN')));
    if (name === current) open.append(make('span', 'unseen', `, ${t('here')}`));
    item.append(open);
    return item;
  });
  fill(list, items, 'room');
}

const SVG = 'http://www.w3.org/2000/svg';
const CROWN = 'M2 4.500l3 3L8 2.500l3 5 3-3L12.800 13H3.200z';

function crown() {
  const image = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  for (const [name, value] of Object.entries({ viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' })) {
    image.setAttribute(name, value);
  }
  path.setAttribute('d', CROWN);
  path.setAttribute('fill', 'currentColor');
  image.append(path);
  return image;
}

function person(name, marks, isAway) {
  const item = make('li', isAway ? 'away' : '');
  item.dataset.user = name;
  item.append(avatar(name), make('bdi', 'name', name));
  for (const mark of isAway ? [...marks, t('away')] : marks) item.append(make('span', 'mark', mark));
  return item;
}

/** `on`: what the manager can do with another member, kick(name) and promote(name); null for others. */
export function showMembers(list, { users, away }, manager, me, on) {
  const isAway = new Set(away);
  const items = [...users].sort((a, b) => (b === manager) - (a === manager) || byName(a, b)).map((name) => {
    const marks = [];
    if (name === manager) marks.push(t('manager'));
    if (name === me) marks.push(t('you'));
    const item = person(name, marks, isAway.has(name));
    if (on && name !== me) {
      const controls = make('span', 'controls');
      const promote = button('promote quiet', '', t('promoteUser', { user: name }), () => on.promote(name));
      promote.title = t('promote');
      promote.append(crown(), make('span', '', t('promote')));
      controls.append(button('kick quiet', t('kick'), t('kickUser', { user: name }), () => on.kick(name)), promote);
      item.append(controls);
    }
    return item;
  });
  fill(list, items, 'user');
}

/** `members`: a Set of names. `onInvite` null: nobody can be invited now. */
export function showUsers(list, { users, away }, members, me, onInvite) {
  const isAway = new Set(away);
  const items = [...users].sort(byName).map((name) => {
    const item = person(name, name === me ? [t('you')] : [], isAway.has(name));
    if (onInvite && name !== me && !members.has(name)) {
      item.append(button('invite quiet', t('invite'), t('inviteUser', { user: name }), () => onInvite(name)));
    }
    return item;
  });
  fill(list, items, 'user');
}
