// SPDX-License-Identifier: MIT
// long_list: a list of which the service tells the first page unasked: how much of it is shown, and the
// button that shows more. What its items are and how they look is panels.js's.
import { t } from './i18n.js';

const STEP = 1000; // so many are shown at once: nobody reads more, and browsers get slow
const AGAIN_MS = 10000; // who looks at more than the first page sees changes there after so long

export class LongList {
  /** `read()` asks for the whole list, `change()` is called when more is to be shown. */
  constructor(button, read, change) {
    Object.assign(this, { button, read, change, timer: 0 });
    this.clear();
    button.addEventListener('click', () => this.more());
  }

  clear() {
    clearTimeout(this.timer);
    Object.assign(this, { items: [], total: 0, most: STEP, timer: 0 });
  }

  get isWhole() {
    return this.items.length >= this.total;
  }

  /** The list as it is told: whole, or its first page. Whether it is taken; else the one that was read stays. */
  take(items, total) {
    this.total = total;
    const isWanted = this.most > STEP && items.length < Math.min(this.most, total);
    if (isWanted) {
      if (this.timer === 0) this.readSoon();
      return false;
    }
    clearTimeout(this.timer);
    this.timer = 0;
    this.items = items;
    return true;
  }

  readSoon() {
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (document.hidden) this.readSoon();
      else this.read();
    }, AGAIN_MS);
  }

  more() {
    this.most += STEP;
    if (this.items.length < Math.min(this.most, this.total)) this.read();
    this.change();
  }

  /** The first items, and whichever `isNeeded` says of. */
  shown(isNeeded = () => false) {
    const { items, most, total } = this;
    const shown = items.filter((item, i) => i < most || isNeeded(item));
    this.button.hidden = shown.length >= total;
    this.button.textContent = t('more', { n: shown.length, total });
    return shown;
  }
}
