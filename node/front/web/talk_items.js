// SPDX-License-Identifier: MIT
// talk_items: what stands in the talk, as elements: messages, notices, gaps, what is on its way. Text
// is only ever text. Where they stand, and when, is talk_view.js's.
import { currentLanguage, t, why } from './i18n.js';

const GROUP_MS = 5 * 60 * 1000;
const DAY_MS = 86400000;
const HUES = 8; // of style.css
const EVENTS = { created: 'created', joined: 'joined', left: 'left', invited: 'invited', removed: 'removed',
  manager: 'nowManager' };

export function make(tag, className, text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** A person's first letter on a colour of their own; screen readers and copied text do without. */
export function avatar(name) {
  const mark = make('span', 'avatar');
  let hash = 0;
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0), 0x9e3779b1) >>> 0;
  mark.dataset.hue = String((hash >>> 16) % HUES); // the high bits are the mixed ones
  mark.dataset.letter = ([...name.trim()][0] || '?').toLocaleUpperCase();
  mark.setAttribute('aria-hidden', 'true');
  return mark;
}

const formats = new Map();

/** Making a format is slow, and a thousand messages need it. */
function format(options) {
  const key = currentLanguage() + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(currentLanguage(), options));
  return formats.get(key);
}

const dayOf = (time) => new Date(time).toDateString();

function dayName(time) {
  const day = dayOf(time);
  if (day === dayOf(Date.now())) return t('today');
  if (day === dayOf(Date.now() - DAY_MS)) return t('yesterday');
  return format({ dateStyle: 'full' }).format(time);
}

const TEXT_PARTS = /```[^\S\n]*(?:\w+\n|\n)?([^]*?)\n?```|`([^`\n]+)`|https?:\/\/[^\s<>"`\u200e\u200f\u202a-\u202e\u2066-\u2069]{1,2000}/giu;
const AFTER_LINK = ".,;:!?'*_~…。、，！？";
const PAIRS = { ')': '(', ']': '[', '}': '{' };

/** The end of a sentence, and a bracket that was opened before it, are not the link's. */
function linkOf(found) {
  let link = found;
  for (;;) {
    const last = link.at(-1);
    const count = (char) => link.split(char).length;
    const isOutside = Object.hasOwn(PAIRS, last) && count(last) > count(PAIRS[last]);
    if (!isOutside && !AFTER_LINK.includes(last)) return link;
    link = link.slice(0, -1);
  }
}

function isAddress(words_) {
  try {
    return /^https?:$/.test(new URL(words_).protocol);
  } catch {
    return false;
  }
}

function linkTo(address) {
  if (!isAddress(address)) return address;
  const link = make('a', '', address);
  link.href = address;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  return link;
}

/** A code's marks stay in the text and are not shown. */
function codeOf(tag, all, code) {
  const at = all.lastIndexOf(code, all.length - (all.startsWith('```') ? 3 : 1) - code.length);
  return [make('span', 'code-mark', all.slice(0, at)), make('code', tag, code),
    make('span', 'code-mark', all.slice(at + code.length))];
}

/** Words of people: text, with links and code as such. */
function textOf(words_) {
  const text = make('div', 'text');
  let at = 0;
  text.dir = 'auto';
  for (const found of words_.matchAll(TEXT_PARTS)) {
    const [all, block, inline] = found;
    const code = block || inline;
    if (all.startsWith('`') && !code) continue; // nothing in it
    text.append(words_.slice(at, found.index));
    const shown = code ? all : linkOf(all);
    text.append(...(code ? codeOf(block ? 'block' : '', all, code) : [linkTo(shown)]));
    at = found.index + shown.length;
  }
  text.append(words_.slice(at));
  return text;
}

function message({ from, message: words, time }, me) {
  const item = make('li', `entry message${from === me ? ' own' : ''}`);
  item.dataset.from = from;
  const head = make('div', 'head');
  const at = make('time', 'time', format({ timeStyle: 'short' }).format(time));
  at.dateTime = new Date(time).toISOString();
  at.title = format({ dateStyle: 'full', timeStyle: 'medium' }).format(time);
  head.append(make('bdi', 'who', from), ' ', at);
  if (from !== me) item.append(avatar(from));
  item.append(head, textOf(words));
  return item;
}

function words({ type, event, user, notice, from, to, isLost }) {
  if (type === 'gap') return t(isLost ? 'lostEntries' : 'missing', { n: to - from + 1 });
  return Object.hasOwn(EVENTS, event) ? t(EVENTS[event], { user }) : notice;
}

export function itemOf(entry, me) {
  const item = entry.type === 'message' ? message(entry, me) : make('li', `entry ${entry.type}`, words(entry));
  item.dataset.seq = entry.seq;
  item.entry = entry;
  item.classList.toggle('lost', entry.isLost === true);
  return item;
}

/** How `item` follows what stands above it (null: nothing): the same speaker, another day. */
export function join(item, above) {
  const { type, from, time } = item.entry;
  const isNewDay = time !== undefined && (!above?.time || dayOf(time) !== dayOf(above.time));
  const follows = !isNewDay && type === 'message' && above?.type === 'message' && above.from === from
    && time - above.time < GROUP_MS;
  item.classList.toggle('follows', follows);
  if (isNewDay) item.dataset.day = dayName(time);
  else delete item.dataset.day;
}

function button(className, words_, onClick) {
  const made = make('button', className, words_);
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}

/** Fills the item of something said; `on` has retry(id) and discard(id). */
export function fillPending(item, said, on) {
  item.said = said;
  item.dataset.state = said.state;
  const state = make('div', said.state === 'failed' ? 'error' : 'hint');
  if (said.state === 'failed') {
    state.setAttribute('role', 'alert');
    state.append(make('span', '', t('notSent', { why: why(said.error) })), ' ',
      button('quiet retry', t('retry'), () => on.retry(said.id)), ' ',
      button('quiet discard', t('discard'), () => on.discard(said.id)));
  } else {
    state.textContent = t('sending');
  }
  item.replaceChildren(textOf(said.text), state);
}
