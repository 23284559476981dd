// SPDX-License-Identifier: MIT
/**
 * hgtp: a client of the Http Group Talk Protocol for pages and for Node. It knows no document: take it
 * from a node, from the package, or with hgtp_bytes.js, hgtp_link.js, hgtp_outbox.js and sha256.js into
 * a page of your own.
 *
 *   import { Hgtp } from 'https://talk.example.org/web/hgtp.js';
 *   const talk = new Hgtp({ origin: 'https://talk.example.org' });
 *   talk.on('message', (m) => console.log(m.room, m.seq, m.from, m.message));
 *   await talk.register('alice', key);
 *   await talk.create('lobby');
 *   talk.say('hello');
 *
 * It reconnects by itself, at whichever node answers, and goes on behind the last entry it has seen:
 * nothing is missed and nothing comes twice. What was said and not acknowledged is said again with
 * the same id, which the service stores once. Every say() is settled by `said`: sent, or failed with
 * .error, also when the session ends, goes to another window, or is left. Requests reject with
 * HgtpError: .code, .reason, .message.
 *
 * Events, by on(name, function):
 *   state      'idle' | 'connecting' | 'online' | 'waiting' (with .retryAt, ms) | 'replaced' | 'ended'
 *   session    { user, room, room_id, epoch, last, manager, isSameRoom }: who and where this client is;
 *              room null: nowhere
 *   message    { room, seq, from, message, time }
 *   notice     { room, seq, event, user, notice, time }
 *   announced  { user, notice, time }: an operator's words to everybody
 *   gap        { room, from, to }: entries that the service does not have any more
 *   lost       { room, from, to }: the same of entries that were told; others get their numbers
 *   users      [name, ...], who of them is away (has lost the connection), how many there are: three arguments
 *   rooms      [{ name, members }, ...], how many there are
 *   members    { room, users, manager, away, total }
 *              A long list is told by its first page, with this client in it; refresh() brings all of it.
 *   manager    name: who manages the room from now on; '': nobody
 *   invited    { room, answer(accepts) }
 *   removed    { isClosed, answer(accepts) }: the manager wants this client out, or the room has closed
 *   said       { id, text, room, state: 'sending' | 'sent' | 'failed', seq, error }
 *   save       what saved() gives has changed: with it another page can resume() this one's session
 */
import { HgtpError, REASON, TYPE, body, decode, encode, nameBytes, randomId, realmOf, refusalOf,
  registerBody, roomBody, roomOf, tokenOf, userIdOf, wellFormed } from './hgtp_bytes.js';
import { openLink } from './hgtp_link.js';
import { Outbox } from './hgtp_outbox.js';
import { hmacSha256 } from './sha256.js';

export { HgtpError, REASON };

const EXPIRES_S = 3600;
const ANSWER_MS = 15000; // a peer may think about an invitation for longer: see INVITE_MS
const INVITE_MS = 60000;
const REGISTER_TRIES = 6; // while the service says that it cannot decide now
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 15000;
const STEADY_MS = 5000; // a connection that breaks earlier has not ended the trouble
const SILENCE_MS = 10000; // a service that was asked says something within this time
const PROBE_MS = 4000;
const IDLE_MS = 60000; // who only listens looks now and then whether there is anything to listen to
const CLOSE = { NORMAL: 1000, TOO_LARGE: 1009, REPLACED: 4001, ENDED: 4002 };
const CLOSED_SEQ = 1; // of a REMOVE because the room was closed; a manager's has another number
const SEQ_STEP = 10; // replies to an INVITE are up to 3 numbers behind it

const gone = () => new HgtpError('BAD_REQUEST', REASON.NOT_REGISTERED, 'the session has ended');
const replaced = () => new HgtpError('REPLACED', 0, 'the session goes on elsewhere');
const disconnected = () => new HgtpError('DISCONNECTED', 0, 'not connected');

export class Hgtp {
  /**
   * `WebSocket`: a class that works as a browser's does, where there is none (Node before 22: the
   * package ws). `EventSource` likewise; without one there are no event streams.
   */
  constructor({ origin = globalThis.location?.origin, WebSocket = globalThis.WebSocket,
    EventSource = globalThis.EventSource } = {}) {
    if (!WebSocket && !EventSource) throw new Error('no WebSocket here: give one, new Hgtp({ WebSocket })');
    this.place = { origin, WebSocket, EventSource };
    this.state = 'idle';
    this.handlers = new Map();
    this.requests = new Map(); // by sequence number: waiting for a response
    this.outbox = new Outbox((said) => this.#send({ type: 'message', message: said.text, id: said.id }),
      (said) => this.#tell('said', said));
    this.histories = []; // the first one is asked for, the others wait
    this.handovers = new Map(); // by id: waiting for a word
    this.pages = {}; // of long lists, as far as they have come
    this.manager = ''; // of the room
    this.seq = 1;
    this.retryMs = 0;
    this.session = null; // { userId, name, token, try, room, roomId, epoch, after }
    this.link = null;
    this.isSettled = false; // the service has said on this connection where this client is
    this.upTo = 0; // number of the room's last entry when it did
    this.lostTo = 0; // up to this number a gap tells what was told as `lost`
    if (typeof addEventListener === 'function') {
      addEventListener('online', () => this.check());
      addEventListener('offline', () => this.#onOffline());
    }
  }

  on(name, handler) {
    const known = this.handlers.get(name) || [];
    this.handlers.set(name, [...known, handler]);
    return this;
  }

  #tell(name, ...values) {
    for (const handler of this.handlers.get(name) || []) handler(...values);
  }

  #become(state, retryAt = 0) {
    this.state = state;
    this.retryAt = retryAt;
    this.#tell('state', state);
  }

  // Sessions -------------------------------------------------------------------------------------

  /**
   * Open a session; resolves when the service has taken the name and the key. It rejects with
   * .canTakeOver where the key is right and the name's session is elsewhere: then, and once the
   * person has agreed, `takesOver` goes on with that one, in its room.
   */
  register(name, key, { takesOver = false } = {}) {
    this.#drop();
    this.#settleRequests(disconnected());
    const isAgain = [this.session?.name, this.session?.asked].includes(name);
    const { room = null, roomId, epoch = '', after = 0 } = isAgain ? this.session : {};
    this.session = { userId: '', name, asked: name, token: '', room, roomId, epoch, after };
    this.key = new TextEncoder().encode(key);
    this.takesOver = takesOver;
    this.registerBytes = null;
    this.registerTries = 0;
    this.wanted = true;
    return new Promise((resolve, reject) => {
      this.registering = { resolve, reject };
      this.#connect();
    });
  }

  /** Go on with a session that an earlier page has saved, or that another one has taken over. */
  resume({ said, ...session } = this.session) {
    this.session = session;
    this.outbox.restore(said);
    this.wanted = true;
    this.#connect();
  }

  /** What resume() takes; null: there is no session. It knows what was said and has not arrived. */
  saved() {
    return this.session?.token ? { ...this.session, said: this.outbox.saved() } : null;
  }

  /** Something has changed (the network, or the page was away): is the connection still good? */
  check() {
    if (this.state === 'waiting') {
      this.#connect();
    } else if (this.state === 'online') {
      this.#expectWord(PROBE_MS);
      this.history(0, 1).catch(() => {});
    }
  }

  unregister() {
    return this.#ask(TYPE.UNREGISTER).then(() => this.#left());
  }

  /** Leave without ending the session. */
  close() {
    this.#stop('idle', disconnected());
  }

  /** Another page goes on with this session, which it had from saved(). */
  giveWay() {
    this.#stop('replaced', replaced());
  }

  #stop(state, error) {
    this.wanted = false;
    this.#drop();
    this.#settleRequests(error);
    this.outbox.failAll(error);
    this.#become(state);
  }

  /** Nobody answers them any more. */
  #settleRequests(error) {
    const { registering } = this;
    this.registering = null;
    registering?.reject(error);
    for (const request of this.requests.values()) {
      clearTimeout(request.timer);
      request.reject(error);
    }
    this.requests.clear();
    for (const id of this.handovers.keys()) this.#handedOver(id).reject(error);
  }

  /** The system says that there is no network. What is on this machine may be there all the same. */
  #onOffline() {
    if (this.state !== 'online') return;
    this.#drop();
    this.#retryIn(RETRY_MIN_MS);
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

  /** Resolves when another member manages the room in this one's place. */
  makeManager(user) {
    const id = randomId(9);
    const text = { type: 'manager', user: wellFormed(user), id };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#handedOver(id).reject(new HgtpError('TIMEOUT', 0, 'no answer')), ANSWER_MS);
      this.handovers.set(id, { text, resolve, reject, timer });
      if (this.state === 'online') this.#send(text);
    });
  }

  #handedOver(id) {
    const over = this.handovers.get(id);
    this.handovers.delete(id);
    clearTimeout(over?.timer);
    return over;
  }

  /** All lists anew, long ones whole. */
  refresh() {
    return this.#ask(TYPE.REFRESH);
  }

  // Talk -----------------------------------------------------------------------------------------

  /** Say something in the room; returns its id, which the events `said` carry. */
  say(message) {
    const { id } = this.outbox.say(message, this.session?.room ?? null, this.session?.epoch ?? '');
    if (!this.wanted) this.outbox.failAll(disconnected());
    this.#tell('save');
    this.#flush();
    return id;
  }

  /** Say again what has failed. */
  sayAgain(id) {
    if (!this.wanted) return;
    this.outbox.again(id, this.session.room, this.session.epoch);
    this.#flush();
  }

  /** Do not say it after all. */
  unsay(id) {
    this.outbox.forget(id);
    this.#tell('save');
  }

  /** What was said and has not arrived, oldest first, as in the events `said`. */
  unsent() {
    return [...this.outbox.items.values()];
  }

  #flush() {
    if (this.state === 'online' && this.isSettled) this.outbox.flush(this.session.after >= this.upTo);
  }

  /** Entries before number `before` (0: the last ones): { entries, more }. */
  history(before = 0, count = 50) {
    return new Promise((resolve, reject) => {
      if (this.state !== 'online') {
        reject(disconnected());
        return;
      }
      const text = { type: 'history', before: before > 0 ? before : undefined, count, id: randomId(9) };
      if (this.histories.push({ text, resolve, reject }) === 1) this.#send(text);
    });
  }

  /** The answer to the one that is asked for has come; undefined: it was for none of these. */
  #historyOver(id) {
    if (id !== this.histories[0]?.text.id) return undefined;
    const over = this.histories.shift();
    if (this.histories.length > 0) this.#send(this.histories[0].text);
    return over;
  }

  #send(text) {
    this.link.sendText(text);
    this.#expectWord(SILENCE_MS);
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
      if (this.state === 'online') this.#sendRequest(type, bytes);
    });
  }

  #sendRequest(type, bytes) {
    this.link.sendMessage(bytes);
    if (type !== TYPE.INVITE && type !== TYPE.REMOVE) this.#expectWord(SILENCE_MS);
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
    if (message.type === TYPE.OK) request.resolve();
    else request.reject(refusalOf(message));
  }

  #onRequest(message) {
    const answer = (accepts) => this.link?.sendMessage(encode({
      type: accepts ? TYPE.OK : TYPE.DECLINE,
      requestType: message.type,
      userId: this.session.userId,
      seq: message.seq + 1,
    }));
    if (message.type === TYPE.INVITE) this.#tell('invited', { room: roomOf(message), answer });
    else this.#tell('removed', { isClosed: message.seq === CLOSED_SEQ, answer });
  }

  // Connection -----------------------------------------------------------------------------------

  #drop() {
    clearTimeout(this.retryTimer);
    clearInterval(this.idleTimer);
    this.#heard();
    const link = this.link;
    this.link = null;
    this.isSettled = false;
    this.histories.splice(0).forEach(({ reject }) => reject(disconnected()));
    this.lostTo = 0;
    link?.close();
  }

  /** Nothing tells a page that a connection is dead but silence where a word is due. */
  #expectWord(withinMs) {
    if (this.silence) return;
    this.silence = setTimeout(() => { if (this.wanted) this.#connect(); }, withinMs);
  }

  #heard() {
    clearTimeout(this.silence);
    this.silence = 0;
    this.heardAt = Date.now();
  }

  #connect() {
    this.#drop();
    this.outbox.newLine();
    this.#become('connecting');
    // Rises with each try, so that one that was held up on its way does not take the place of a later one.
    this.session.try = Math.max((this.session.try ?? 0) + 1, Date.now());
    this.#tell('save');
    const { token, after, epoch, userId } = this.session;
    const link = openLink(this.place, { token, after, epoch, attempt: this.session.try, userId }, {
      onOpen: () => { if (this.link === link) this.#onOpen(); },
      onMessage: (bytes) => { if (this.link === link) this.#onMessage(decode(bytes)); },
      onText: (value) => { if (this.link === link) this.#onText(value); },
      onClose: (why) => { if (this.link === link) this.#onClose(why); },
    });
    this.link = link;
  }

  #onOpen() {
    if (this.session.token) this.#onOnline();
    else if (this.registerBytes) this.#sendRequest(TYPE.REGISTER, this.registerBytes); // its answer may be lost
    else this.#beginRegister();
  }

  #beginRegister() {
    this.session.userId = randomId(6);
    this.registerSeq = 1;
    this.#sendRegister(nameBytes(this.session.name));
  }

  #sendRegister(nonce) {
    this.registerBytes = encode({
      type: TYPE.REGISTER,
      userId: this.session.userId,
      seq: this.registerSeq,
      body: registerBody(EXPIRES_S, nonce, this.takesOver),
    });
    this.#sendRequest(TYPE.REGISTER, this.registerBytes);
  }

  #onRegister(message) {
    if (this.session.token) return; // an answer that has come twice
    if (message.type === TYPE.UNAUTHORIZED) {
      this.registerSeq += 2;
      this.#sendRegister(hmacSha256(this.key, realmOf(message)));
    } else if (message.type === TYPE.OK) {
      this.session.token = tokenOf(message);
      this.session.userId = userIdOf(this.session.token); // of the one that was taken over
      this.link.attach?.(this.session.token);
      this.#onOnline();
      this.registering?.resolve();
      this.registering = null;
    } else {
      this.#onRegisterRefused(refusalOf(message));
    }
  }

  #onRegisterRefused(error) {
    if ([REASON.NOT_CHALLENGED, REASON.CHALLENGE_USED].includes(error.reason)) {
      this.#beginRegister(); // the challenge has run out meanwhile
    } else if (error.isPassing && ++this.registerTries < REGISTER_TRIES) {
      // It may have been done all the same: the same once more finds out, a new one finds the name taken.
      this.#retryIn(this.#backOff());
    } else {
      const { registering } = this;
      // Whether there is a session to take over is told to those who have proved the key.
      error.canTakeOver = error.reason === REASON.NAME_TAKEN && this.registerSeq > 1 && !this.takesOver;
      this.registering = null;
      this.#end('idle');
      registering?.reject(error);
    }
  }

  #onOnline() {
    this.onlineAt = Date.now();
    this.idleTimer = setInterval(() => { if (Date.now() - this.heardAt > IDLE_MS / 2) this.check(); }, IDLE_MS);
    this.#become('online');
    this.#tell('save');
    for (const { type, bytes } of this.requests.values()) this.#sendRequest(type, bytes);
    for (const { text } of this.handovers.values()) this.#send(text); // done once, however often it comes
    this.#expectWord(SILENCE_MS); // the session, first of all
    this.#flush();
  }

  #onClose({ code = 0, isGone = false, unsentId }) {
    this.#drop();
    if (code === CLOSE.TOO_LARGE) this.#refuseLongest();
    if (unsentId !== undefined) this.outbox.notSent(unsentId, disconnected());
    if (code === CLOSE.REPLACED) {
      this.giveWay();
    } else if (isGone || code === CLOSE.ENDED || code === CLOSE.NORMAL) {
      this.#onGone();
    } else if (this.wanted) {
      this.#retryIn(this.awayMs ?? this.#backOff());
      this.awayMs = undefined;
    }
  }

  /** A frame was too long for the service: the longest one was, whether others were or not. */
  #refuseLongest() {
    const error = new HgtpError('BAD_REQUEST', REASON.MESSAGE_TOO_LARGE, 'too long');
    const bytes = (words) => JSON.stringify(words).length;
    const sent = [...this.outbox.sent().map(({ id, text }) => ({ id, bytes: bytes(text) })),
      ...[...this.handovers].map(([id, { text }]) => ({ id, bytes: bytes(text.user) }))];
    const longest = sent.sort((a, b) => b.bytes - a.bytes)[0];
    if (longest) this.#refused(longest.id, error);
  }

  #refused(id, error) {
    if (this.handovers.has(id)) this.#handedOver(id).reject(error);
    else this.outbox.refused(id, error);
  }

  #onGone() {
    const leaving = [...this.requests.values()].find(({ type }) => type === TYPE.UNREGISTER);
    if (!leaving) this.#end('ended');
    else leaving.resolve(); // which ends it
  }

  #left() {
    this.#end('idle');
    this.outbox.keepOnly(null, '');
  }

  #backOff() {
    const wasSteady = this.onlineAt > 0 && Date.now() - this.onlineAt > STEADY_MS;
    this.onlineAt = 0;
    this.retryMs = wasSteady ? RETRY_MIN_MS : Math.min(Math.max(this.retryMs * 2, RETRY_MIN_MS), RETRY_MAX_MS);
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
    this.session = { ...this.session, token: '' };
    this.#settleRequests(gone());
    this.outbox.failAll(gone());
    this.#tell('save');
    this.#become(state);
  }

  // What comes -----------------------------------------------------------------------------------

  #onMessage(message) {
    this.#heard();
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
    this.#heard();
    switch (value.type) {
      case 'session': this.#onSession(value); break;
      case 'message': case 'notice': this.#onEntry(value); break;
      case 'gap': this.#onGap(value); break;
      case 'ack': this.#onAck(value); break;
      case 'error': this.#onError(value); break;
      case 'history': this.#historyOver(value.id)?.resolve(value); break;
      case 'user_list': this.#onList(value, 'users', value.users); break;
      case 'room_list': this.#onList(value, 'rooms',
        value.rooms.map((name, i) => ({ name, members: value.members[i] }))); break;
      case 'room_user_list': this.#onList(value, 'members', value.users); this.#onManager(value.manager); break;
      case 'reconnect': this.#onReconnect(value); break;
      default: // of a newer service
    }
  }

  #onSession(value) {
    const known = this.session;
    const isRoom = known.room === value.room && known.roomId === value.room_id;
    const isSameLog = known.epoch === value.epoch;
    const isSameRoom = isRoom && (isSameLog || value.kept !== undefined);
    const { after, epoch } = known;
    known.name = value.user; // as it is shown: a room goes on with the writing that it knows
    known.room = value.room;
    known.roomId = value.room_id;
    known.epoch = value.epoch;
    if (!isSameRoom) known.after = 0;
    else if (!isSameLog) known.after = Math.min(after, value.kept);
    this.upTo = value.last;
    this.manager = value.manager ?? '';
    this.isSettled = true;
    this.#tell('save');
    if (isSameRoom && !isSameLog) this.outbox.logChanged(epoch, value.epoch);
    this.#tell('session', { ...value, manager: this.manager, isSameRoom });
    if (isSameRoom && known.after < after) {
      this.lostTo = after;
      this.#tell('lost', { room: value.room, from: known.after + 1, to: after });
    }
    this.outbox.keepOnly(known.room, known.epoch);
    this.#flush();
  }

  #onEvent({ event, user }) {
    if (event === 'manager') this.#onManager(user);
    else if ((event === 'left' || event === 'removed') && user === this.manager) this.#onManager('');
  }

  #onManager(name = '') {
    if (name === this.manager) return;
    this.manager = name;
    this.#tell('manager', name);
  }

  #onEntry(entry) {
    if (entry.room === null) {
      this.#tell('announced', entry);
      return;
    }
    if (entry.room !== this.session.room || entry.seq <= this.session.after) return;
    this.session.after = entry.seq;
    this.lostTo = 0;
    this.#tell(entry.type, entry);
    this.#onEvent(entry);
    if (entry.type === 'message' && entry.from === this.session.name) {
      this.outbox.heard(entry.message, entry.seq);
    }
    this.#tell('save');
    if (entry.seq === this.upTo) this.#flush();
  }

  #onGap(gap) {
    if (gap.room !== this.session.room || gap.to <= this.session.after || gap.to <= this.lostTo) return;
    this.session.after = gap.to;
    this.#tell('save');
    this.#tell('gap', gap);
    this.#flush();
  }

  /** What is asked for comes in pages of one version, if it is long; it is told when it is whole. */
  #onList({ first = 0, more = false, total, version, room, manager = '', away = [] }, name, page) {
    const list = first === 0 ? { names: [], away: [], version } : this.pages[name];
    if (list?.version !== version || list.names.length !== first) return; // the pages before are lost
    list.names.push(...page);
    list.away.push(...away);
    this.pages[name] = more ? list : undefined;
    if (more) return;
    const { names } = list;
    const count = total ?? names.length;
    if (name === 'members') this.#tell(name, { room, users: names, manager, away: list.away, total: count });
    else if (name === 'rooms') this.#tell(name, names, count);
    else this.#tell(name, names, list.away, count);
  }

  #onAck({ id, seq }) {
    this.#handedOver(id)?.resolve();
    this.outbox.acked(id, seq);
    this.#tell('save');
  }

  #onError({ id, code, reason, name }) {
    const error = new HgtpError(code, REASON[name] ?? 0, reason);
    const history = this.#historyOver(id);
    if (history) history.reject(error);
    else this.#refused(id, error);
    this.#tell('save');
  }

  /** The node is going down: it closes the connection, or this client does; then it waits so long. */
  #onReconnect({ after_ms: afterMs }) {
    this.awayMs = afterMs;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.#connect(), afterMs);
  }
}
