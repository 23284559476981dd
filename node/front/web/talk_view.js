// SPDX-License-Identifier: MIT
// talk_view: the talk of a room on the page, in order, with what is on its way below. It adds what
// comes within a frame at once, keeps the document small, and loads earlier messages when somebody
// scrolls up. Who reads further up is not moved.
import { t } from './i18n.js';
import { fillPending, itemOf, join, make } from './talk_items.js';

const SHOWN_MAX = 400;
const FULL = 1200; // while somebody reads further up, more waits outside the document
const PAGE = 50;
const NEAR_PX = 60;
const QUIET_MS = 300;
const BURST = 3; // more than so many at once, or one right after another, are read out together
const BURST_MS = 1000;
const SENDING_SEEN_MS = 400; // what is quicker does not flicker

export class TalkView {
  /** `parts`: scroller, messages, pending, earlier, oldest, jump, news; `load(before, count)` gives { entries, more }. */
  constructor(parts, { load, onUnread, onRetry, onDiscard }) {
    Object.assign(this, parts, { load, onUnread });
    this.on = {
      retry: onRetry,
      discard: (id) => {
        this.#forget(id);
        onDiscard(id);
      },
    };
    this.clear('');
    this.scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.earlier.addEventListener('click', () => this.loadEarlier());
    this.jump.addEventListener('click', () => this.toEnd());
    new ResizeObserver(() => this.#onShown()).observe(this.scroller);
    document.addEventListener('visibilitychange', () => {
      this.#flush();
      this.#onShown();
    });
  }

  clear(me) {
    this.me = me;
    this.queue = []; // came since the last frame
    this.held = []; // came while the document was full
    this.waiting = new Map(); // items of what was said and is not seen in the room yet, by id
    this.first = 0; // lowest number shown
    this.last = 0; // highest number that came
    this.hasEarlier = false;
    this.isLoading = false;
    this.isAtEnd = true;
    this.unreadFrom = 0; // the line above this number is still to be drawn
    this.untold = []; // not read out yet
    this.generation = (this.generation || 0) + 1;
    this.messages.replaceChildren();
    this.pending.replaceChildren();
    this.earlier.hidden = this.oldest.hidden = true;
    this.#setUnread(0);
  }

  // What comes -----------------------------------------------------------------------------------

  add(entry) {
    this.queue.push(entry);
    this.#soon();
  }

  #soon() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    // A hidden page gets no frames.
    if (document.hidden) setTimeout(() => this.#flush(), 200);
    else requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    this.isScheduled = false;
    const fresh = this.queue.splice(0).filter((entry) => entry.seq > this.last);
    if (fresh.length > 0) this.#take(fresh);
    if (this.isAtEnd) this.toEnd();
  }

  #take(fresh) {
    this.last = fresh.at(-1).seq;
    const heard = fresh.filter((entry) => entry.type === 'message' && entry.from !== this.me);
    const isSeen = this.#isSeen();
    if (!isSeen && this.unread === 0 && heard.length > 0) this.unreadFrom = heard[0].seq;
    for (const entry of fresh) if (entry.type === 'message' && entry.from === this.me) this.#arrived(entry);
    // One more than is shown: then it is known that some are missing in between.
    this.held = [...this.held, ...fresh].slice(-SHOWN_MAX - 1);
    if (this.isAtEnd || this.messages.childElementCount < FULL) this.#readOut(heard, () => this.#showHeld());
    this.#setUnread(isSeen ? 0 : this.unread + heard.length);
  }

  /** The service has lost what was told from number `from` on: what is shown of it stays, and is marked. */
  lose({ from, to }) {
    this.#flush();
    this.#showHeld();
    for (const item of this.messages.querySelectorAll('.entry')) {
      if (item.entry.seq >= from) item.classList.toggle('lost', item.entry.isLost = true);
    }
    let above = this.messages.lastElementChild?.entry ?? null;
    for (const { said } of [...this.waiting.values()]) {
      if (said.seq === undefined || said.seq < from) continue; // acknowledged, and not come back
      this.#forget(said.id);
      above = this.#append(this.messages, { type: 'message', from: this.me, message: said.text, seq: said.seq,
        time: Date.now(), isLost: true }, above);
    }
    this.#append(this.messages, { type: 'gap', from, to, seq: to, isLost: true, time: Date.now() }, above);
    this.last = from - 1;
    this.first = Math.min(this.first || from, from);
    if (this.isAtEnd) this.#scrollDown();
  }

  /** A message is read out as it comes; many at once are one announcement. */
  #readOut(heard, show) {
    const now = performance.now();
    const isBurst = heard.length > BURST || (heard.length > 0 && now - (this.toldAt ?? -BURST_MS) < BURST_MS);
    if (heard.length > 0) this.toldAt = now;
    if (!isBurst) {
      show();
      return;
    }
    this.#silently(show);
    this.untold.push(...heard);
    clearTimeout(this.tellTimer);
    this.tellTimer = setTimeout(() => this.#tellNews(), BURST_MS);
  }

  #tellNews() {
    const untold = this.untold.splice(0);
    if (untold.length === 0) return;
    this.news.textContent = untold.length > BURST ? t('newMessages', { n: untold.length })
      : untold.map(({ from, message }) => `${from}: ${message}`).join('\n');
  }

  #showHeld() {
    const entries = this.held.splice(0);
    if (entries.length === 0) return;
    if (entries.length > SHOWN_MAX) {
      entries.shift();
      this.messages.replaceChildren();
      this.#showFrom(entries[0].seq, true);
      if (this.unread > 0 && this.unreadFrom === 0) this.unreadFrom = entries[0].seq;
    }
    this.first = this.first || entries[0].seq;
    let above = this.messages.lastElementChild?.entry ?? null;
    const fragment = document.createDocumentFragment();
    for (const entry of entries) {
      if (this.unreadFrom > 0 && entry.seq >= this.unreadFrom) {
        fragment.append(this.#unreadLine());
        this.unreadFrom = 0;
      }
      above = this.#append(fragment, entry, above);
    }
    if (entries.length > BURST) this.#silently(() => this.messages.append(fragment));
    else this.messages.append(fragment);
  }

  #append(parent, entry, above) {
    const item = itemOf(entry, this.me);
    join(item, above);
    parent.append(item);
    return entry;
  }

  /** The oldest go, and come back by scrolling up. */
  #trim() {
    const surplus = this.messages.childElementCount - SHOWN_MAX;
    if (surplus <= 0) return;
    const line = this.messages.querySelector('.unread-line');
    for (let i = 0; i < surplus; i++) this.messages.firstElementChild.remove();
    const { seq } = this.messages.querySelector('.entry:not(.lost)')?.entry ?? { seq: this.last + 1 };
    this.#showFrom(seq, true);
    join(this.messages.querySelector('.entry'), null);
    if (line && !line.isConnected && this.unread > 0) this.messages.prepend(line); // all of this is new
  }

  #showFrom(seq, hasEarlier) {
    this.first = seq;
    this.hasEarlier = hasEarlier;
    this.earlier.hidden = !hasEarlier;
    this.oldest.hidden = hasEarlier || seq <= 1;
  }

  #unreadLine() {
    this.messages.querySelector('.unread-line')?.remove();
    return make('li', 'unread-line', t('unread'));
  }

  /** In another language now. */
  retell() {
    let above = null;
    for (const item of [...this.messages.querySelectorAll('.entry')]) {
      const told = itemOf(item.entry, this.me);
      join(told, above);
      item.replaceWith(told);
      above = item.entry;
    }
    const line = this.messages.querySelector('.unread-line');
    if (line) line.textContent = t('unread');
    for (const item of this.waiting.values()) fillPending(item, item.said, this.on);
    this.jump.textContent = '';
    this.#setUnread(this.unread);
  }

  // Earlier messages -----------------------------------------------------------------------------

  /** What was said before number `before`, when nothing is shown yet. */
  async loadLast(before) {
    this.first = this.first || before;
    this.last = Math.max(this.last, before - 1);
    this.hasEarlier = before > 1;
    await this.loadEarlier();
  }

  async loadEarlier() {
    if (this.isLoading || !this.hasEarlier) return;
    this.isLoading = true;
    const { generation, first } = this;
    try {
      const { entries, more } = await this.load(first, PAGE);
      if (generation !== this.generation) return;
      // The list may have moved on meanwhile: then these do not adjoin it any more.
      if (first === this.first) {
        this.#prepend(entries);
        this.#showFrom(entries[0]?.seq ?? first, more && entries.length > 0);
      }
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
    const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop;
    const fragment = document.createDocumentFragment();
    let above = null;
    for (const entry of entries) above = this.#append(fragment, entry, above);
    const below = this.messages.querySelector('.entry');
    if (below) join(below, above);
    this.#silently(() => this.messages.prepend(fragment));
    if (this.isAtEnd) this.#scrollDown();
    else this.scroller.scrollTop = this.scroller.scrollHeight - fromEnd;
  }

  /** What is old is not read out as if it had been said just now. */
  #silently(change) {
    const log = this.messages.closest('[role=log]');
    log.ariaLive = 'off';
    change();
    clearTimeout(this.quietTimer);
    this.quietTimer = setTimeout(() => { log.ariaLive = 'polite'; }, QUIET_MS);
  }

  // What is on its way ---------------------------------------------------------------------------

  said(said) {
    const known = this.waiting.get(said.id);
    if (said.state === 'sent') {
      if (said.seq <= this.last) this.#forget(said.id);
      return;
    }
    const item = known || make('li', 'pending own');
    fillPending(item, said, this.on);
    if (known) return;
    this.waiting.set(said.id, item);
    this.pending.append(item);
    setTimeout(() => item.classList.add('slow'), SENDING_SEEN_MS);
    this.isAtEnd = true;
    this.#soon();
  }

  #forget(id) {
    this.waiting.get(id)?.remove();
    this.waiting.delete(id);
  }

  /** An own message has come back as an entry of the room. */
  #arrived({ seq, message }) {
    for (const [id, { said }] of this.waiting) {
      if (said.seq === seq || (said.seq === undefined && said.sentAt > 0 && said.text === message)) {
        this.#forget(id);
        return;
      }
    }
  }

  // Reading --------------------------------------------------------------------------------------

  #isSeen() {
    return this.isAtEnd && !document.hidden && this.scroller.clientHeight > 0;
  }

  #sizeNow() {
    return `${this.scroller.clientWidth} ${this.scroller.clientHeight}`;
  }

  /** The window, or this part of it, is seen again, or has another size. */
  #onShown() {
    this.size = this.#sizeNow();
    if (this.isAtEnd) this.#scrollDown();
    if (this.#isSeen()) this.#setUnread(0);
  }

  #scrollDown() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  toEnd() {
    this.isAtEnd = true;
    this.#showHeld();
    this.#trim();
    this.#scrollDown();
    this.#setUnread(this.#isSeen() ? 0 : this.unread);
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    if (clientHeight === 0) return;
    if (this.size !== this.#sizeNow()) { // a keyboard has come up, say: it was not the reader
      this.#onShown();
      return;
    }
    const isDown = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (isDown && this.held.length > 0) this.#showHeld(); // there is more below by now
    else this.isAtEnd = isDown;
    this.#setUnread(this.#isSeen() ? 0 : this.unread);
    if (scrollTop < NEAR_PX && !this.isAtEnd) this.loadEarlier();
  }

  #setUnread(count) {
    this.jump.hidden = this.isAtEnd;
    if (this.unread === count && this.jump.textContent !== '') return;
    this.unread = count;
    this.jump.textContent = count > 0 ? t('jump', { n: count }) : t('jumpDown');
    this.onUnread(count);
  }
}
