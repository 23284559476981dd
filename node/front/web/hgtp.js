// SPDX-License-Identifier: MIT
/**
 * hgtp: a client of the Http Group Talk Protocol for pages. It knows no document: take it, with
 * hgtp_bytes.js, hgtp_link.js and sha256.js, for a page of your own.
 *
 *   import { Hgtp } from './hgtp.js';
 *   const talk = new Hgtp({ origin: 'https://talk.example.org' });
 *   talk.on('message', (m) => console.log(m.room, m.seq, m.from, m.message));
 *   await talk.register('alice', key);
 *   await talk.create('lobby');
 *   talk.say('hello');
 *
 * It reconnects by itself, at whichever node answers, and goes on behind the last entry it has seen:
 * nothing is missed and nothing comes twice. What was said and not acknowledged is said again with
 * the same id, which the service stores once.
 *
 * Events, by on(name, function):
 *   state      'idle' | 'connecting' | 'online' | 'waiting' (with .retryAt, ms) | 'replaced' | 'ended'
 *   session    { user, room, room_id, epoch, last }: who and where this client is; room null: nowhere
 *   message    { room, seq, from, message, time }
 *   notice     { room, seq, event, user, notice, time }
 *   gap        { room, from, to }: entries that the service does not have any more
 *   users      [name, ...]           rooms   [{ name, members }, ...]
 *   members    { room, users, manager }
 *   invited    { room, answer(accepts) }
 *   removed    { room, answer(accepts) }: the manager, or the room's end, wants this client out
 *   said       { id, text, state: 'sending' | 'sent' | 'failed', seq, error }
 *   save       what Hgtp.prototype.resume takes to go on after the page was loaded anew; null: nothing
 */
import { TYPE, body, decode, encode, nameBytes, randomId, realmOf, reasonOf, registerBody, roomBody,
  roomOf, tokenOf, typeName } from './hgtp_bytes.js';
import { openLink } from './hgtp_link.js';
import { hmacSha256 } from './sha256.js';

const EXPIRES_S = 3600;
const ANSWER_MS = 15000; // a peer may think about an invitation for longer: see INVITE_MS
const INVITE_MS = 60000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 15000;
const RESEND_MS = 25000; // a service keeps ids for half a minute at least
const SEQ_STEP = 10; // replies to an INVITE are up to 3 numbers behind it
const GONE = { NOT_REGISTERED: 4, SIGNATURE_REQUIRED: 9 };

/** A refusal: .code is the response's name, .reason the number, .message the text. */
export class HgtpError extends Error {
  constructor(code, reason, text) {
    super(text || code);
    this.code = code;
    this.reason = reason;
  }
}

export class Hgtp {
  constructor({ origin = location.origin } = {}) {
    this.origin = origin;
    this.state = 'idle';
    this.handlers = new Map();
    this.requests = new Map(); // by sequence number: waiting for a response
    this.outbox = new Map(); // by id: said and not acknowledged
    this.histories = []; // waiting, in order
    this.seq = 1;
    this.retryMs = 0;
    this.session = null; // { userId, name, token, room, epoch, after }
    this.link = null;
    if (typeof addEventListener === 'function') {
      addEventListener('online', () => { if (this.state === 'waiting') this.#connect(); });
    }
  }

  on(name, handler) {
    const known = this.handlers.get(name) || [];
    this.handlers.set(name, [...known, handler]);
    return this;
  }

  #tell(name, value) {
    for (const handler of this.handlers.get(name) || []) handler(value);
  }

  #become(state, retryAt = 0) {
    this.state = state;
    this.retryAt = retryAt;
    this.#tell('state', state);
  }

  // Sessions -------------------------------------------------------------------------------------

  /** Open a session; resolves when the service has taken the name and the key. */
  async register(name, key) {
    this.#drop();
    const userId = this.session?.userId || randomId(6);
    this.session = { userId, name, token: '', room: null, epoch: '', after: 0 };
    this.key = new TextEncoder().encode(key);
    this.wanted = true;
    return new Promise((resolve, reject) => {
      this.registering = { resolve, reject };
      this.#connect();
    });
  }

  /** Go on with a session that an earlier page has saved. */
  resume(saved) {
    this.session = { ...saved };
    this.wanted = true;
    this.#connect();
  }

  async unregister() {
    await this.#ask(TYPE.UNREGISTER);
    this.#end('idle');
  }

  /** Leave without ending the session. */
  close() {
    this.wanted = false;
    this.#drop();
    this.#become('idle');
  }

  // Rooms ----------------------------------------------------------------------------------------

  create(name) {
    return this.#ask(TYPE.CREATE_ROOM, roomBody(randomId(9), name));
  }

  join(name) {
    return this.#ask(TYPE.JOIN_ROOM, body(name));
  }

  exit() {
    return this.#ask(TYPE.EXIT_ROOM, body(this.session.room));
  }

  deleteRoom() {
    return this.#ask(TYPE.DELETE_ROOM, roomBody(this.session.roomId, ''));
  }

  /** Resolves when the peer has accepted. */
  invite(peer) {
    return this.#ask(TYPE.INVITE, body(this.session.room, peer), INVITE_MS);
  }

  /** Resolves when the peer is out. */
  remove(peer) {
    return this.#ask(TYPE.REMOVE, body(this.session.room, peer), INVITE_MS);
  }

  /** All lists anew. */
  refresh() {
    return this.#ask(TYPE.REFRESH);
  }

  // Talk -----------------------------------------------------------------------------------------

  /** Say something in the room; returns its id, which the events `said` carry. */
  say(message) {
    const said = { id: randomId(9), text: message, state: 'sending', at: Date.now() };
    this.outbox.set(said.id, said);
    this.#tell('said', said);
    this.#sendSaid(said);
    return said.id;
  }

  /** Say again what has failed. */
  sayAgain(id) {
    const said = this.outbox.get(id);
    if (!said) return;
    said.state = 'sending';
    said.at = Date.now();
    this.#tell('said', said);
    this.#sendSaid(said);
  }

  #sendSaid(said) {
    if (this.state === 'online') {
      this.link.sendText({ type: 'message', message: said.text, id: said.id });
    }
  }

  /** Entries before number `before` (0: the last ones): { entries, more }. */
  history(before = 0, count = 50) {
    return new Promise((resolve, reject) => {
      if (this.state !== 'online') {
        reject(new HgtpError('DISCONNECTED', 0, 'not connected'));
        return;
      }
      this.histories.push({ resolve, reject });
      this.link.sendText(before > 0 ? { type: 'history', before, count } : { type: 'history', count });
    });
  }

  // Requests -------------------------------------------------------------------------------------

  #ask(type, content, withinMs = ANSWER_MS) {
    const seq = this.#nextSeq();
    const bytes = encode({ type, userId: this.session.userId, seq, body: content });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.requests.delete(seq);
        reject(new HgtpError('TIMEOUT', 0, 'no answer'));
      }, withinMs);
      this.requests.set(seq, { type, bytes, resolve, reject, timer });
      if (this.state === 'online') this.link.sendMessage(bytes);
    });
  }

  #nextSeq() {
    this.seq += SEQ_STEP;
    return this.seq;
  }

  #answered(message) {
    const seq = message.seq - ((message.seq - 1) % SEQ_STEP);
    const request = this.requests.get(seq);
    if (!request || request.type !== message.requestType) return;
    this.requests.delete(seq);
    clearTimeout(request.timer);
    if (message.type === TYPE.OK) {
      request.resolve();
    } else {
      const reason = reasonOf(message);
      request.reject(new HgtpError(typeName(message.type), reason.code, reason.text));
    }
  }

  #onRequest(message) {
    const answer = (accepts) => this.link?.sendMessage(encode({
      type: accepts ? TYPE.OK : TYPE.DECLINE,
      requestType: message.type,
      userId: this.session.userId,
      seq: message.seq + 1,
    }));
    this.#tell(message.type === TYPE.INVITE ? 'invited' : 'removed', { room: roomOf(message), answer });
  }

  // Connection -----------------------------------------------------------------------------------

  #drop() {
    clearTimeout(this.retryTimer);
    const link = this.link;
    this.link = null;
    link?.close();
  }

  #connect() {
    this.#drop();
    this.#become('connecting');
    const { token, after, epoch } = this.session;
    const link = openLink(this.origin, { token, after, epoch, userId: this.session.userId }, {
      onOpen: () => { if (this.link === link) this.#onOpen(); },
      onMessage: (bytes) => { if (this.link === link) this.#onMessage(decode(bytes)); },
      onText: (value) => { if (this.link === link) this.#onText(value); },
      onClose: (why) => { if (this.link === link) this.#onClose(why); },
    });
    this.link = link;
  }

  #onOpen() {
    if (this.session.token) {
      this.#onOnline();
    } else {
      this.registerSeq = 1;
      this.#sendRegister(nameBytes(this.session.name));
    }
  }

  #sendRegister(nonce) {
    this.link.sendMessage(encode({
      type: TYPE.REGISTER,
      userId: this.session.userId,
      seq: this.registerSeq,
      body: registerBody(EXPIRES_S, nonce),
    }));
  }

  #onRegister(message) {
    if (message.type === TYPE.UNAUTHORIZED) {
      this.registerSeq += 2;
      this.#sendRegister(hmacSha256(this.key, realmOf(message)));
    } else if (message.type === TYPE.OK) {
      this.session.token = tokenOf(message);
      this.link.attach?.(this.session.token);
      this.#onOnline();
      this.registering?.resolve();
      this.registering = null;
    } else {
      const reason = reasonOf(message);
      const error = new HgtpError(typeName(message.type), reason.code, reason.text);
      const { registering } = this;
      this.registering = null;
      this.#end('idle');
      registering?.reject(error);
    }
  }

  #onOnline() {
    this.retryMs = 0;
    this.#become('online');
    this.#save();
    for (const request of this.requests.values()) this.link.sendMessage(request.bytes);
    for (const said of this.outbox.values()) {
      if (said.state !== 'sending') continue;
      if (Date.now() - said.at < RESEND_MS) {
        this.#sendSaid(said);
      } else {
        this.#saidFailed(said, new HgtpError('UNSURE', 0, 'not confirmed in time'));
      }
    }
  }

  #onClose({ code = 0, isGone = false }) {
    this.link = null;
    this.histories.splice(0).forEach(({ reject }) => reject(new HgtpError('DISCONNECTED', 0, 'not connected')));
    if (code === 4001) {
      this.wanted = false;
      this.#become('replaced');
    } else if (isGone || code === 4002) {
      this.#end('ended');
    } else if (this.wanted && code !== 1000) {
      this.#retryIn(this.#backOff());
    }
  }

  #backOff() {
    this.retryMs = Math.min(Math.max(this.retryMs * 2, RETRY_MIN_MS), RETRY_MAX_MS);
    return this.retryMs * (0.5 + Math.random() / 2);
  }

  #retryIn(ms) {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.#connect(), ms);
    this.#become('waiting', Date.now() + ms);
  }

  #end(state) {
    this.wanted = false;
    this.#drop();
    this.session = { ...this.session, token: '', room: null, epoch: '', after: 0 };
    for (const request of this.requests.values()) {
      clearTimeout(request.timer);
      request.reject(new HgtpError('BAD_REQUEST', GONE.NOT_REGISTERED, 'the session has ended'));
    }
    this.requests.clear();
    for (const said of [...this.outbox.values()]) {
      this.#saidFailed(said, new HgtpError('BAD_REQUEST', GONE.NOT_REGISTERED, 'the session has ended'));
    }
    this.#tell('save', null);
    this.#become(state);
  }

  #save() {
    const { userId, name, token, room, roomId, epoch, after } = this.session;
    if (token) this.#tell('save', { userId, name, token, room, roomId, epoch, after });
  }

  // What comes -----------------------------------------------------------------------------------

  #onMessage(message) {
    if (!message || message.userId !== this.session.userId) return;
    if (message.type === TYPE.INVITE || message.type === TYPE.REMOVE) {
      this.#onRequest(message);
    } else if (message.requestType === TYPE.REGISTER) {
      this.#onRegister(message);
    } else {
      this.#answered(message);
    }
  }

  #onText(value) {
    switch (value.type) {
      case 'session': this.#onSession(value); break;
      case 'message': case 'notice': this.#onEntry(value); break;
      case 'gap': this.#onGap(value); break;
      case 'ack': this.#onAck(value); break;
      case 'error': this.#onError(value); break;
      case 'history': this.histories.shift()?.resolve(value); break;
      case 'user_list': this.#tell('users', value.users); break;
      case 'room_list': this.#tell('rooms', value.rooms.map((name, i) => ({ name, members: value.members[i] }))); break;
      case 'room_user_list': this.#tell('members', value); break;
      case 'reconnect': this.#onReconnect(value); break;
      default: // of a newer service
    }
  }

  #onSession(value) {
    const known = this.session;
    const isSameRoom = known.room === value.room && known.epoch === value.epoch;
    known.room = value.room;
    known.roomId = value.room_id;
    known.epoch = value.epoch;
    if (!isSameRoom) known.after = 0;
    this.#save();
    this.#tell('session', { ...value, isSameRoom });
  }

  #onEntry(entry) {
    if (entry.room !== this.session.room || entry.seq <= this.session.after) return;
    this.session.after = entry.seq;
    this.#save();
    this.#tell(entry.type, entry);
  }

  #onGap(gap) {
    if (gap.room !== this.session.room || gap.to <= this.session.after) return;
    this.session.after = gap.to;
    this.#save();
    this.#tell('gap', gap);
  }

  #onAck({ id, seq }) {
    const said = this.outbox.get(id);
    if (!said) return;
    this.outbox.delete(id);
    said.state = 'sent';
    said.seq = seq;
    this.#tell('said', said);
  }

  #saidFailed(said, error) {
    said.state = 'failed';
    said.error = error;
    this.#tell('said', said);
  }

  #onError({ id, code, reason, name }) {
    const error = new HgtpError(code, 0, reason);
    error.name = name;
    const said = this.outbox.get(id);
    if (said) {
      this.#saidFailed(said, error);
    } else {
      this.histories.shift()?.reject(error);
    }
  }

  #onReconnect({ after_ms: afterMs }) {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.#connect(), afterMs);
  }
}
