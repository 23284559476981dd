// SPDX-License-Identifier: MIT
// hgtp_outbox: what was said and is not known to stand in the room yet. It says again after a lost
// connection, in order, so that nothing is lost, and only where that cannot double anything: the
// service knows an id for a while; later it is the room's log that tells whether a message came.
import { HgtpError, randomId, wellFormed } from './hgtp_bytes.js';

const FAILURES_MAX = 3; // of sending the same text, while others pass
const ID_KNOWN_MS = 25000; // a service keeps ids for half a minute

export class Outbox {
  /** `send(item)` puts it on the line; `tell(item)` says that its state has changed. */
  constructor(send, tell) {
    this.send = send;
    this.tell = tell;
    this.items = new Map(); // by id, oldest first
    this.line = 0;
    this.acks = new Set(); // numbers of own entries that are acknowledged and have not been seen yet
    this.seenTo = 0;
  }

  say(text, room, epoch) {
    const item = { id: randomId(9), text: wellFormed(text), room, epoch, state: 'sending', sentAt: 0, line: 0 };
    this.items.set(item.id, item);
    this.tell(item);
    return item;
  }

  again(id, room, epoch) {
    const item = this.items.get(id);
    if (item?.state !== 'failed') return;
    Object.assign(item, { room, epoch, state: 'sending', line: 0, failures: 0, error: undefined });
    this.tell(item);
  }

  /** Another connection: what was sent over the last one may not have arrived. */
  newLine() {
    this.line++;
  }

  /**
   * Send what waits. `isUpToDate`: all that the room's log had when this connection began is here,
   * thus a message that was sent long ago and is not among it did not arrive.
   */
  flush(isUpToDate) {
    for (const item of this.items.values()) {
      if (item.state !== 'sending' || item.line === this.line) continue;
      const isForgotten = item.sentAt > 0 && Date.now() - item.sentAt > ID_KNOWN_MS;
      if (isForgotten && !isUpToDate) return; // and nothing overtakes it
      if (item.sentAt === 0 || isForgotten) item.sentAt = Date.now();
      item.line = this.line;
      this.send(item);
    }
  }

  /** Acknowledged, or seen in the room. */
  arrived(item, seq) {
    this.items.delete(item.id);
    item.state = 'sent';
    item.seq = seq;
    this.tell(item);
  }

  acked(id, seq) {
    const item = this.items.get(id);
    if (item && seq > this.seenTo) this.acks.add(seq);
    if (item) this.arrived(item, seq);
  }

  /** An own message stands in the room: the oldest of this text is it, unless it was acknowledged before. */
  heard(text, seq) {
    this.seenTo = seq;
    if (this.acks.delete(seq)) return;
    for (const item of this.items.values()) {
      if (item.sentAt > 0 && item.state === 'sending' && item.text === text) {
        this.arrived(item, seq);
        return;
      }
    }
  }

  /** Refused: it is known not to be in the room. False: there is no such message. */
  refused(id, error) {
    const item = this.items.get(id);
    if (!item) return false;
    Object.assign(item, { state: 'failed', sentAt: 0, error });
    this.tell(item);
    return true;
  }

  /**
   * The room's log has gone back and has another epoch: its ids are not known any more, thus only what
   * is in the log itself tells whether something sent before arrived.
   */
  logChanged(from, to) {
    this.#forgetNumbers();
    for (const item of this.items.values()) {
      if (item.epoch === from) Object.assign(item, { epoch: to, line: 0, sentAt: item.sentAt > 0 ? 1 : 0 });
    }
  }

  #forgetNumbers() {
    this.acks.clear();
    this.seenTo = 0;
  }

  /** What is on its way over this connection. */
  sent() {
    return [...this.items.values()].filter((item) => item.line === this.line && item.state === 'sending');
  }

  /** It did not get through. After some times it is this text that does not, for whatever reason. */
  notSent(id, error) {
    const item = this.items.get(id);
    if (!item) return;
    item.failures = (item.failures ?? 0) + 1;
    if (item.failures >= FAILURES_MAX) this.refused(id, error);
  }

  /** Nothing will be sent any more. What was on its way may have arrived: again() cannot double it for a while. */
  failAll(error) {
    for (const item of this.items.values()) {
      if (item.state !== 'sending') continue;
      Object.assign(item, { state: 'failed', error });
      this.tell(item);
    }
  }

  /** What was said in a room that this client is not in any more goes nowhere else. */
  keepOnly(room, epoch) {
    if (room !== this.room || epoch !== this.epoch) this.#forgetNumbers();
    Object.assign(this, { room, epoch });
    for (const item of [...this.items.values()]) {
      if (item.room === null) Object.assign(item, { room, epoch }); // said on entering it
      if (item.room === room && item.epoch === epoch) continue;
      this.items.delete(item.id);
      if (item.state === 'failed') continue;
      Object.assign(item, { state: 'failed', error: new HgtpError('BAD_REQUEST', 27, 'not in that room') });
      this.tell(item);
    }
  }

  forget(id) {
    this.items.delete(id);
  }

  saved() {
    return [...this.items.values()].map(({ id, text, room, epoch, state, sentAt }) => (
      { id, text, room, epoch, state, sentAt }));
  }

  restore(saved = []) {
    for (const item of saved) this.items.set(item.id, { ...item, line: 0 });
  }
}
