// SPDX-License-Identifier: MIT
// talk_view: the messages of a room on the page: in order, grouped by speaker and day, with what is
// on its way below. It adds what comes within a frame at once, keeps the document small, and loads
// earlier messages when somebody scrolls up. Text is only ever text.
import { currentLanguage, t, why } from './i18n.js';

const SHOWN_MAX = 400;
const PAGE = 50;
const GROUP_MS = 5 * 60 * 1000;
const NEAR_PX = 60;

function make(tag, className, text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

const dayOf = (time) => new Date(time).toDateString();

function dayName(time) {
  const day = dayOf(time);
  if (day === dayOf(Date.now())) return t('today');
  if (day === dayOf(Date.now() - 86400000)) return t('yesterday');
  return new Date(time).toLocaleDateString(currentLanguage(), { dateStyle: 'full' });
}

export class TalkView {
  /** `parts`: scroller, messages, pending, earlier, jump; `load(before, count)` gives { entries, more }. */
  constructor(parts, { load, onUnread, onRetry, onDiscard }) {
    Object.assign(this, parts, { load, onUnread, onRetry, onDiscard });
    this.clear('');
    this.scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.earlier.addEventListener('click', () => this.loadEarlier());
    this.jump.addEventListener('click', () => this.toEnd());
    document.addEventListener('visibilitychange', () => {
      this.#flush();
      if (!document.hidden && this.#isAtEnd()) this.#setUnread(0);
    });
  }

  clear(me) {
    this.me = me;
    this.queue = [];
    this.waiting = new Map(); // said, not seen in the room yet
    this.first = 0; // lowest number shown
    this.last = 0;
    this.hasEarlier = false;
    this.isLoading = false;
    this.generation = (this.generation || 0) + 1;
    this.messages.replaceChildren();
    this.pending.replaceChildren();
    this.earlier.hidden = true;
    this.#setUnread(0);
  }

  // What comes -----------------------------------------------------------------------------------

  add(entry) {
    this.queue.push(entry);
    if (this.isScheduled) return;
    this.isScheduled = true;
    // A hidden page gets no frames.
    if (document.hidden) setTimeout(() => this.#flush(), 200);
    else requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    this.isScheduled = false;
    if (this.queue.length === 0) return;
    const wasAtEnd = this.#isAtEnd();
    const isSeen = wasAtEnd && !document.hidden;
    const fresh = this.queue.splice(0).filter((entry) => entry.seq > this.last);
    let unread = this.unread;
    let before = this.messages.lastElementChild;
    const fragment = document.createDocumentFragment();
    for (const entry of fresh.slice(-SHOWN_MAX)) {
      if (entry.type === 'message' && entry.from === this.me) this.#seen(entry);
      else if (!isSeen && entry.type === 'message' && unread++ === 0) fragment.append(this.#unreadLine());
      const item = this.#item(entry, before);
      fragment.append(item);
      before = item;
    }
    if (fresh.length > SHOWN_MAX) {
      this.messages.replaceChildren();
      this.first = 0;
      this.hasEarlier = true;
    }
    if (fresh.length > 0) {
      this.first = this.first || fresh.slice(-SHOWN_MAX)[0].seq;
      this.last = fresh[fresh.length - 1].seq;
    }
    this.messages.append(fragment);
    this.#setUnread(unread);
    if (wasAtEnd) {
      this.#trim();
      this.toEnd();
    }
  }

  /** The oldest go, and come back by scrolling up. */
  #trim() {
    while (this.messages.childElementCount > SHOWN_MAX) {
      this.messages.firstElementChild.remove();
      this.hasEarlier = true;
    }
    const first = this.messages.querySelector('[data-seq]');
    if (first) this.first = Number(first.dataset.seq);
    this.earlier.hidden = !this.hasEarlier;
  }

  // Earlier messages -----------------------------------------------------------------------------

  /** What was said before number `before`, when nothing is shown yet. */
  async loadLast(before) {
    this.first = this.first || before;
    this.last = Math.max(this.last, before - 1);
    this.hasEarlier = before > 1;
    if (this.hasEarlier) await this.loadEarlier();
  }

  async loadEarlier() {
    if (this.isLoading || !this.hasEarlier) return;
    this.isLoading = true;
    const { generation } = this;
    try {
      const { entries, more } = await this.load(this.first, PAGE);
      if (generation !== this.generation) return;
      this.hasEarlier = more && entries.length > 0;
      this.#prepend(entries.filter((entry) => entry.seq < this.first));
    } catch {
      // The button stays, and scrolling tries again.
    }
    if (generation === this.generation) {
      this.isLoading = false;
      this.earlier.hidden = !this.hasEarlier;
    }
  }

  #prepend(entries) {
    if (entries.length === 0) return;
    const isAtEnd = this.#isAtEnd();
    const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop;
    const fragment = document.createDocumentFragment();
    let before = null;
    for (const entry of entries) {
      before = this.#item(entry, before);
      fragment.append(before);
    }
    this.messages.prepend(fragment);
    this.first = entries[0].seq;
    this.scroller.scrollTop = isAtEnd ? this.scroller.scrollHeight : this.scroller.scrollHeight - fromEnd;
  }

  // Items ----------------------------------------------------------------------------------------

  #item(entry, before) {
    if (entry.type === 'gap') return this.#gap(entry);
    const item = entry.type === 'message' ? this.#message(entry, before) : this.#notice(entry);
    item.dataset.seq = entry.seq;
    item.dataset.time = entry.time;
    if (dayOf(entry.time) !== dayOf(Number(before?.dataset.time || 0))) {
      item.dataset.day = dayName(entry.time);
    }
    return item;
  }

  #message({ from, message, time }, before) {
    const item = make('li', `entry message${from === this.me ? ' own' : ''}`);
    const follows = before?.dataset.from === from && time - Number(before.dataset.time) < GROUP_MS
      && dayOf(time) === dayOf(Number(before.dataset.time));
    item.dataset.from = from;
    if (follows) item.classList.add('follows');
    const at = make('time', 'time', new Date(time).toLocaleTimeString(currentLanguage(), { timeStyle: 'short' }));
    at.dateTime = new Date(time).toISOString();
    const head = make('div', 'head');
    head.append(make('bdi', 'who', from), at);
    const text = make('p', 'text', message);
    text.dir = 'auto';
    item.append(head, text);
    return item;
  }

  #notice({ event, user, notice }) {
    const words = ['created', 'joined', 'left', 'invited', 'removed'].includes(event) ? t(event, { user }) : notice;
    return make('li', 'entry notice', words);
  }

  #gap({ from, to }) {
    const item = make('li', 'entry gap', t('missing', { n: to - from + 1 }));
    item.dataset.seq = to;
    return item;
  }

  #unreadLine() {
    this.messages.querySelector('.unread-line')?.remove();
    return make('li', 'unread-line', t('unread'));
  }

  // What is on its way ---------------------------------------------------------------------------

  said(said) {
    const known = this.waiting.get(said.id);
    if (said.state === 'sent' && said.seq <= this.last) {
      known?.remove();
      this.waiting.delete(said.id);
      return;
    }
    const item = known || make('li', 'pending own');
    item.said = said;
    item.dataset.state = said.state;
    const text = make('p', 'text', said.text);
    text.dir = 'auto';
    item.replaceChildren(text, this.#saidState(said));
    if (!known) {
      this.waiting.set(said.id, item);
      this.pending.append(item);
      this.toEnd();
    }
  }

  #saidState(said) {
    if (said.state !== 'failed') return make('span', 'hint', said.state === 'sending' ? t('sending') : '');
    const box = make('div', 'error', t('notSent', { why: why(said.error) }));
    const retry = make('button', 'quiet retry', t('retry'));
    const discard = make('button', 'quiet discard', t('discard'));
    retry.type = discard.type = 'button';
    retry.addEventListener('click', () => this.onRetry(said.id));
    discard.addEventListener('click', () => {
      this.waiting.get(said.id)?.remove();
      this.waiting.delete(said.id);
      this.onDiscard(said.id);
    });
    box.append(' ', retry, ' ', discard);
    return box;
  }

  /** An own message has come back as an entry of the room. */
  #seen({ seq, message }) {
    for (const [id, item] of this.waiting) {
      const { said } = item;
      if (said.seq === seq || (said.seq === undefined && said.text === message)) {
        item.remove();
        this.waiting.delete(id);
        return;
      }
    }
  }

  // Reading --------------------------------------------------------------------------------------

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    if (!document.hidden) this.#setUnread(0);
  }

  #onScroll() {
    if (this.#isAtEnd() && !document.hidden) this.#setUnread(0);
    this.jump.hidden = this.#isAtEnd();
    if (this.scroller.scrollTop < NEAR_PX && !this.#isAtEnd()) this.loadEarlier();
  }

  #setUnread(count) {
    this.unread = count;
    this.jump.textContent = count > 0 ? t('jump', { n: count }) : t('jumpDown');
    this.jump.hidden = this.#isAtEnd();
    this.onUnread(count);
  }
}
