// SPDX-License-Identifier: MIT
// hgtp_js: hgtp.js against a real node, with the package ws, and, in place of a browser's EventSource,
// one made of fetch. Prints a line for each case that has passed; run by test_node_client.c:
//   node hgtp_js.mjs HGTP_JS ORIGIN KEY
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';

globalThis.crypto ??= (await import('node:crypto')).webcrypto;
const [, , hgtpJs, origin, key] = process.argv;
const { Hgtp, REASON } = await import(pathToFileURL(hgtpJs));
let names = 0;

class EventSource {
  constructor(url) {
    this.named = new Map();
    this.ending = new AbortController();
    this.read(url).catch(() => { if (!this.ending.signal.aborted) this.onerror?.(); });
  }

  async read(url) {
    const response = await fetch(url, { signal: this.ending.signal });
    if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
    this.onopen?.();
    let rest = '';
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const events = (rest + piece).split('\n\n');
      rest = events.pop();
      events.forEach((event) => this.take(event.split('\n')));
    }
    throw new Error('the stream has ended');
  }

  take(lines) {
    const value = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const event = { data: value('data'), lastEventId: value('id') ?? '' };
    if (event.data === undefined || this.ending.signal.aborted) return;
    if (value('event')) this.named.get(value('event'))?.(event);
    else this.onmessage?.(event);
  }

  addEventListener(name, handler) { this.named.set(name, handler); }

  close() { this.ending.abort(); }
}

const ways = { ws: { WebSocket }, stream: { WebSocket: null, EventSource } };

function until(talk, name, fits) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} that fits`)), 20000);
    talk.on(name, (value) => { if (fits(value)) { clearTimeout(timer); resolve(value); } });
  });
}
const LISTS_MAX = 3; // of the node
const settled = (talk, id) => until(talk, 'said', (said) => said.id === id && said.state !== 'sending');

async function user(way, room) {
  const talk = new Hgtp({ origin, ...ways[way] });
  const entered = until(talk, 'session', (session) => session.room === room);
  await talk.register(`user${++names}`, key);
  await talk.join(room).catch(() => talk.create(room));
  await entered;
  return talk;
}

const cases = {
  async talks_and_makes_texts_well_formed(way) {
    const room = `talk-${way}`;
    const [alice, bob] = [await user(way, room), await user('ws', room)];
    const heard = until(bob, 'message', ({ message }) => message.startsWith('half'));
    const said = await settled(alice, alice.say('half \ud83d, whole \ud83d\ude42'));
    assert.equal(said.state, 'sent');
    assert.equal((await heard).message, 'half \ufffd, whole \ud83d\ude42');
    assert.ok((await alice.history()).entries.length > 2);
    alice.close();
    bob.close();
  },

  async too_long_a_text_is_refused_once_and_blocks_nothing(way) {
    const talk = await user(way, `long-${way}`);
    for (const length of [20000, 3000000]) {
      const states = [];
      const ids = [talk.say('before'), talk.say('x'.repeat(length)), talk.say('behind')];
      talk.on('said', ({ id, state }) => { if (id === ids[1]) states.push(state); });
      const [before, long, behind] = await Promise.all(ids.map((id) => settled(talk, id)));
      assert.deepEqual([before.state, long.state, behind.state], ['sent', 'failed', 'sent']);
      assert.equal(long.error.reason, REASON.MESSAGE_TOO_LARGE);
      assert.deepEqual(states, ['failed']);
    }
    talk.close();
  },

  async refusals_are_of_what_was_refused(way) {
    const talk = await user(way, `refused-${way}`);
    const ids = ['one', 'u+0000 \u0000 is refused or said', 'two'].map((text) => talk.say(text));
    const asked = [talk.makeManager('nobody').catch((error) => error), talk.history(0, 1000).catch((error) => error),
      talk.history(0, 5)];
    const said = await Promise.all(ids.map((id) => settled(talk, id)));
    assert.equal(said[0].state, 'sent');
    assert.equal(said[2].state, 'sent');
    const [manager, tooMany, history] = await Promise.all(asked);
    assert.equal(manager.reason, REASON.PEER_UNKNOWN);
    assert.equal(tooMany.reason, REASON.MALFORMED);
    assert.ok(history.entries.length > 0);
    talk.close();
  },

  async same_words_are_each_settled(way) {
    const talk = await user(way, `same-${way}`);
    const ids = Array.from({ length: 20 }, () => talk.say('knock'));
    const said = await Promise.all(ids.map((id) => settled(talk, id)));
    assert.equal(new Set(said.map(({ seq }) => seq)).size, ids.length);
    talk.close();
  },

  async everything_is_settled_when_it_is_closed(way) {
    const talk = await user(way, `closed-${way}`);
    const asked = talk.invite('nobody').catch((error) => error);
    const id = talk.say('on its way');
    const said = settled(talk, id);
    talk.close();
    assert.equal((await said).state, 'failed');
    assert.equal((await said).error.code, 'DISCONNECTED');
    assert.equal((await asked).code, 'DISCONNECTED');
    assert.equal(talk.unsent()[0].state, 'failed');
    const later = until(talk, 'said', ({ text, state }) => text === 'too late' && state === 'failed');
    talk.say('too late');
    await later;
  },

  async displaced_one_says_so_settles_and_stays_away(way) {
    for (const other of Object.keys(ways)) {
      const talk = await user(way, `shared-${way}-${other}`);
      const second = new Hgtp({ origin, ...ways[other] });
      const isReplaced = until(talk, 'state', (state) => state === 'replaced');
      const isOnline = until(second, 'session', () => true);
      second.resume(JSON.parse(JSON.stringify(talk.saved())));
      await Promise.all([isReplaced, isOnline]);
      const failed = until(talk, 'said', ({ state }) => state === 'failed');
      talk.say('from the window before');
      await failed;
      const said = await settled(second, second.say('it is here now'));
      assert.equal(said.state, 'sent');
      assert.equal(talk.state, 'replaced');
      assert.equal(second.state, 'online');
      second.close();
    }
  },

  async session_that_ends_settles_everything(way) {
    const talk = await user(way, `ended-${way}`);
    const { token } = talk.session;
    const { encode, TYPE } = await import(pathToFileURL(hgtpJs.replace(/hgtp\.js$/, 'hgtp_bytes.js')));
    const isEnded = until(talk, 'state', (state) => state === 'ended');
    const request = encode({ type: TYPE.UNREGISTER, userId: talk.session.userId, seq: 900 });
    await fetch(`${origin}/hgtp`, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: request });
    await isEnded;
    const failed = until(talk, 'said', ({ state }) => state === 'failed');
    talk.say('to nobody');
    await failed;
  },

  async long_list_is_told_by_its_first_page_and_whole_on_refresh(way) {
    const here = [];
    for (let i = 0; i < 5; i++) here.push(await user(way, `lists-${way}`), await user(way, `lists-${way}-${i}`));
    const [talk] = here;
    const me = talk.session.name;
    const lists = { users: [], rooms: [], members: [] };
    talk.on('users', (names, away, total) => lists.users.push({ names, total }));
    talk.on('rooms', (rooms, total) => lists.rooms.push({ names: rooms.map(({ name }) => name), total }));
    talk.on('members', ({ users: names, total }) => lists.members.push({ names, total }));
    const told = async (name, fits) => {
      while (!lists[name].some(fits)) await until(talk, name, () => true);
    };
    const whole = ({ names, total }) => total > LISTS_MAX && new Set(names).size === total;
    const isCounted = ({ names, total }) => total > LISTS_MAX && names.length === LISTS_MAX && names.includes(me);
    talk.refresh();
    await Promise.all(['users', 'rooms', 'members'].map((name) => told(name, whole)));
    const other = await user(way, `lists-${way}`); // that it comes is told, and by one page
    await Promise.all(['users', 'members'].map((name) => told(name, isCounted)));
    assert.equal(lists.members.at(-1).total, 6);
    [...here, other].forEach((each) => each.close());
  },

  // One's own name is as the service shows it, however it was written.
  async own_messages_are_known_by_the_name_that_is_shown(way) {
    const talk = new Hgtp({ origin, ...ways[way] });
    const told = until(talk, 'session', () => true);
    await talk.register(` Own ${++names} `, key);
    assert.equal((await told).user, `Own ${names}`);
    assert.equal(talk.session.name, `Own ${names}`);
    assert.equal(talk.saved().name, `Own ${names}`);
    await talk.create(`own-${way}`);
    const heard = until(talk, 'message', ({ message }) => message === 'mine');
    assert.equal((await settled(talk, talk.say('mine'))).state, 'sent');
    assert.equal((await heard).from, talk.session.name);
    talk.close();
  },

  async wrong_key_is_told_so(way) {
    const talk = new Hgtp({ origin, ...ways[way] });
    const error = await talk.register(`user${++names}`, 'wrong').catch((why) => why);
    assert.equal(error.reason, REASON.WRONG_DIGEST);
  },
};

for (const way of Object.keys(ways)) {
  for (const [name, run] of Object.entries(cases)) {
    await run(way);
    console.log(`passed ${way} ${name}`);
  }
}
console.log('all have passed');
process.exit(0);
