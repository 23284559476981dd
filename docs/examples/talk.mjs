// SPDX-License-Identifier: MIT
// talk: a user in Node 18 or later: says what stdin says, line by line, and prints what others say in the
// room. It ends when stdin does and all is settled; its exit status is 1 when something was not said.
//
//   npm install ws                        # Node before 22 has no WebSocket of its own
//   HGTP_URL=http://127.0.0.1:8080 HGTP_KEY=... node talk.mjs NAME ROOM
//
// HGTP_JS names hgtp.js where it is not installed: node/front/web/hgtp.js of the repository.
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

globalThis.crypto ??= (await import('node:crypto')).webcrypto; // Node 18
const { Hgtp, REASON } = await import(pathToFileURL(resolve(process.env.HGTP_JS ?? '/usr/share/hgtp/web/hgtp.js')));
const WebSocket = globalThis.WebSocket ?? (await import('ws')).default;

const [name, room] = process.argv.slice(2);
const talk = new Hgtp({ origin: process.env.HGTP_URL ?? 'http://127.0.0.1:8080', WebSocket });
let failed = 0;

talk.on('message', ({ from, message }) => { if (from !== name) console.log(`${from}: ${message}`); });
talk.on('notice', ({ notice }) => console.log(`* ${notice}`));
talk.on('said', ({ text, state, error }) => {
  if (state !== 'failed') return;
  failed++;
  console.error(`not said: ${text}: ${error.message}`);
});
talk.on('state', (state) => { if (state === 'ended' || state === 'replaced') process.exit(1); });

await talk.register(name, process.env.HGTP_KEY);
await talk.join(room).catch((error) => {
  if (error.reason !== REASON.ROOM_UNKNOWN) throw error;
  return talk.create(room);
});
for await (const line of createInterface({ input: process.stdin })) talk.say(line);
while (talk.unsent().some(({ state }) => state === 'sending')) {
  await new Promise((settled) => { talk.on('said', settled); });
}
await talk.unregister();
process.exitCode = failed > 0 ? 1 : 0;
