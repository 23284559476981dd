// SPDX-License-Identifier: MIT
// hgtp_link: one connection to a node: a WebSocket, or, where proxies let none through, an event
// stream and POST requests. It opens once and ends once; trying again is hgtp.js's.
//
//   openLink({ origin, WebSocket, EventSource }, { token, after, epoch, attempt, userId },
//     { onOpen, onMessage, onText, onClose })
//
// onMessage gets the bytes of an HGTP message, onText an object, onClose { code, isGone, unsentId }: the
// close code if there was one, whether the session is known to be dead, and which text did not get through.
import { REASON, TYPE, decode, encode, refusalOf, unbase64 } from './hgtp_bytes.js';

const OPEN_MS = 10000;
const ASK_MS = 5000;
const OPEN = 1; // a WebSocket's readyState
const FAILURES_BEFORE_STREAM = 2;
const GONE_REASONS = [REASON.NOT_REGISTERED, REASON.SIGNATURE_REQUIRED]; // the latter: by another token
let webSocketFailures = 0;
let webSocketWorks = false;

function query({ token, after, epoch, attempt }) {
  if (!token) return '';
  const parts = new URLSearchParams({ token, try: attempt });
  if (epoch) {
    parts.set('after', after);
    parts.set('epoch', epoch);
  }
  return `?${parts}`;
}

function post(origin, path, token, type, content, within) {
  const headers = { 'content-type': type };
  if (token) headers.authorization = `Bearer ${token}`;
  return fetch(`${origin}${path}`, { method: 'POST', headers, body: content, signal: within });
}

function parsed(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {}; // nothing that this page knows
  }
}

/** A page is not told why a WebSocket was refused; the session itself is asked for. */
async function isGone(origin, { token, userId }) {
  if (!token) return false;
  try {
    const request = encode({ type: TYPE.REFRESH, userId, seq: 1 });
    const response = await post(origin, '/hgtp', token, 'application/octet-stream', request,
      AbortSignal.timeout(ASK_MS));
    const reply = response.status === 200 ? decode(await response.arrayBuffer()) : null;
    return reply !== null && reply.type === TYPE.BAD_REQUEST && GONE_REASONS.includes(refusalOf(reply).reason);
  } catch {
    return false;
  }
}

export function openLink(place, session, events) {
  const isStream = place.EventSource && (!place.WebSocket
    || (!webSocketWorks && webSocketFailures >= FAILURES_BEFORE_STREAM));
  return isStream ? openStream(place, session, events) : openWebSocket(place, session, events);
}

function openWebSocket({ origin, WebSocket }, session, { onOpen, onMessage, onText, onClose }) {
  const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/ws${query(session)}`, 'hgtp');
  let isOpen = false;
  socket.binaryType = 'arraybuffer';
  const timer = setTimeout(() => socket.close(), OPEN_MS);
  socket.onopen = () => {
    clearTimeout(timer);
    isOpen = webSocketWorks = true;
    onOpen();
  };
  socket.onerror = () => {}; // its end follows
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') onText(parsed(data));
    else onMessage(data);
  };
  socket.onclose = async ({ code }) => {
    clearTimeout(timer);
    if (isOpen) {
      onClose({ code });
      return;
    }
    const gone = await isGone(origin, session);
    webSocketFailures += gone ? 0 : 1;
    onClose({ isGone: gone });
  };
  return {
    sendMessage: (bytes) => { if (socket.readyState === OPEN) socket.send(bytes); },
    sendText: (value) => { if (socket.readyState === OPEN) socket.send(JSON.stringify(value)); },
    close: () => { clearTimeout(timer); socket.close(1000); },
  };
}

/** What a POST of a text was answered; it is of that text whether its id stands in it or not. */
async function answerTo(id, response) {
  const answer = parsed(await response.text());
  if (answer.type) return { id, ...answer };
  if (response.status !== 413) throw new Error(`HTTP ${response.status}`); // somebody in between
  return { id, type: 'error', code: 'BAD_REQUEST', name: 'MESSAGE_TOO_LARGE', reason: 'the message is too long' };
}

function openStream({ origin, EventSource }, session, { onOpen, onMessage, onText, onClose }) {
  let { token } = session;
  let source = null;
  let isClosed = false;
  const end = async (unsentId) => {
    if (isClosed) return;
    isClosed = true;
    source?.close();
    webSocketFailures = 0; // next time a WebSocket is tried again first
    onClose({ isGone: await isGone(origin, { ...session, token }), unsentId });
  };
  const hear = (value) => {
    if (value.type !== 'closed') {
      onText(value);
    } else if (!isClosed) {
      isClosed = true;
      source.close();
      onClose({ code: value.code });
    }
  };
  const attach = (given) => {
    token = given;
    source = new EventSource(`${origin}/events${query({ ...session, token })}`);
    source.onopen = () => onOpen();
    source.onerror = () => end();
    source.onmessage = ({ data }) => hear(parsed(data));
    source.addEventListener('hgtp', ({ data }) => onMessage(unbase64(data)));
  };
  const ask = async (path, type, content, read, take, id) => {
    let answer = null;
    try {
      const response = await post(origin, path, token, type, content);
      if (response.status !== 204) answer = await read(response);
    } catch {
      end(id);
    }
    if (answer !== null) take(answer);
  };
  let texts = Promise.resolve(); // one after the other: what is said keeps its order
  if (token) attach(token);
  else queueMicrotask(onOpen); // to register
  return {
    // After a REGISTER: the stream is what the session lives by.
    attach: (given) => {
      onOpen = () => {};
      attach(given);
    },
    sendMessage: (bytes) => ask('/hgtp', 'application/octet-stream', bytes,
      (response) => response.arrayBuffer(), onMessage),
    sendText: (value) => {
      texts = texts.then(() => (isClosed ? null : ask('/message', 'application/json',
        JSON.stringify(value), (response) => answerTo(value.id, response), onText, value.id)));
    },
    close: () => {
      isClosed = true;
      source?.close();
    },
  };
}
