// SPDX-License-Identifier: MIT
// hgtp_bytes: HGTP messages as bytes: the 24-byte header and the bodies (docs/protocol.md). No
// network, no state.

export const TYPE = {
  REGISTER: 0x80, UNREGISTER: 0x81, CREATE_ROOM: 0x90, DELETE_ROOM: 0x91, JOIN_ROOM: 0x92,
  EXIT_ROOM: 0x93, INVITE: 0xa0, REMOVE: 0xa1, REFRESH: 0xb0,
  OK: 0x20, BAD_REQUEST: 0x40, UNAUTHORIZED: 0x41, FORBIDDEN: 0x43, SERVER_UNAVAILABLE: 0x53,
  DECLINE: 0x63,
};

/** The reasons a page may want to tell apart (docs/protocol.md has all). */
export const REASON = {
  MALFORMED: 1, NOT_REGISTERED: 4, NOT_CHALLENGED: 5, WRONG_DIGEST: 6, SIGNATURE_REQUIRED: 9,
  NAME_INVALID: 11, NAME_TAKEN: 12, USERS_FULL: 13, TOKEN_REQUIRED: 15, ROOM_NAME_TAKEN: 22,
  ROOM_UNKNOWN: 23, ROOMS_FULL: 24, ROOM_FULL: 25, IN_ROOM: 26, NOT_IN_ROOM: 27, NOT_MANAGER: 28,
  MANAGER_STAYS: 29, PEER_UNKNOWN: 30, PEER_IN_ROOM: 31, PEER_BUSY: 32, PEER_NOT_MEMBER: 33,
  PEER_IS_MANAGER: 34, PEER_DECLINED: 35, PEER_SILENT: 36, PEER_ORIGINAL: 39, MESSAGE_INVALID: 40,
  MESSAGE_TOO_LARGE: 41, ID_REUSED: 42, ROOM_OF_OPERATORS: 43, RATE_LIMITED: 50, STORE_AWAY: 51,
  BUSY: 52, DRAINING: 53, INTERNAL: 54,
  STORE_FULL: 62, STORE_UNSAVED: 63, STORE_FORBIDDEN: 64, STORE_SPOILT: 65, CHALLENGE_USED: 67,
};

/**
 * A refusal: .code is the response's name, .reason the number, .message the text. Where the service
 * has said nothing .code is DISCONNECTED, TIMEOUT or REPLACED, and .reason 0.
 */
export class HgtpError extends Error {
  constructor(code, reason, words) {
    super(words || code);
    this.code = code;
    this.reason = reason;
    this.canTakeOver = false; // see Hgtp.register()
  }

  /** The service may take the same thing later. */
  get isPassing() {
    return (this.reason >= REASON.RATE_LIMITED && this.reason <= REASON.INTERNAL)
      || (this.reason >= REASON.STORE_FULL && this.reason <= REASON.STORE_SPOILT);
  }
}

const HEADER_BYTES = 24;
const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text as it can cross a wire: half a pair of surrogates becomes U+FFFD. */
export const wellFormed = (words) => text.decode(utf8.encode(words));

function typeName(type) {
  return Object.keys(TYPE).find((name) => TYPE[name] === type) || 'UNKNOWN';
}

export function base64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

export function unbase64(string) {
  return Uint8Array.from(atob(string), (char) => char.charCodeAt(0));
}

/** Characters of base64 of so many random bytes: 6 make a user id, 9 a room id. */
export function randomId(count) {
  return base64(crypto.getRandomValues(new Uint8Array(count)));
}

function joined(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function str(bytes) {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, bytes.length);
  return joined(length, bytes);
}

/** A name in a body: base64 of its UTF-8. */
export function nameBytes(name) {
  return utf8.encode(base64(utf8.encode(name)));
}

export function body(...names) {
  return joined(...names.map((name) => str(nameBytes(name))));
}

export function roomBody(roomId, name) {
  return joined(utf8.encode(roomId), str(nameBytes(name)));
}

const FLAGS = { TAKE_OVER: 1 };

/** `nonce`: bytes. No address is declared: this client is reached over its own connection. */
export function registerBody(expires, nonce, takesOver) {
  const fixed = new Uint8Array(18);
  new DataView(fixed.buffer).setBigInt64(0, BigInt(expires));
  const flags = new Uint8Array(takesOver ? [0, FLAGS.TAKE_OVER] : []);
  return joined(fixed, str(nonce), flags);
}

export function encode({ type, requestType = type, userId, seq, body: content = new Uint8Array(0) }) {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set([0x48, 0x53, type, requestType]);
  header.set(utf8.encode(userId), 4);
  view.setInt32(12, seq | 0);
  view.setUint32(16, Date.now() % 0x100000000);
  view.setInt32(20, content.length);
  return joined(header, content);
}

/** null when it is no HGTP message. */
export function decode(buffer) {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || bytes[0] !== 0x48 || bytes[1] !== 0x53) return null;
  const length = view.getInt32(20);
  if (length < 0 || HEADER_BYTES + length > bytes.length) return null;
  return {
    type: bytes[2],
    requestType: bytes[3],
    userId: text.decode(bytes.subarray(4, 12)),
    seq: view.getInt32(12),
    body: bytes.subarray(HEADER_BYTES, HEADER_BYTES + length),
  };
}

function strAt(content, at) {
  if (content.length < at + 4) return new Uint8Array(0);
  const length = new DataView(content.buffer, content.byteOffset).getInt32(at);
  return length < 0 ? new Uint8Array(0) : content.subarray(at + 4, at + 4 + length);
}

/** The realm of an UNAUTHORIZED, as bytes: the digest is made of them. */
export const realmOf = (message) => strAt(message.body, 2);
/** The session token of the OK to a REGISTER. */
export const tokenOf = (message) => text.decode(strAt(message.body, 0));
/** Whose session it is: a token begins with the user id, in the alphabet of URLs. */
export const userIdOf = (token) => token.slice(0, 8).replaceAll('-', '+').replaceAll('_', '/');

/** What a refusing response says. */
export function refusalOf(message) {
  const code = typeName(message.type);
  if (message.body.length < 6) return new HgtpError(code, 0, '');
  const reason = new DataView(message.body.buffer, message.body.byteOffset).getInt16(0);
  return new HgtpError(code, reason, text.decode(strAt(message.body, 2)));
}

/** The room's name in an INVITE. */
export function roomOf(message) {
  try {
    return text.decode(unbase64(text.decode(strAt(message.body, 0))));
  } catch {
    return '';
  }
}
