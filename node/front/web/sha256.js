// SPDX-License-Identifier: MIT
// sha256: SHA-256 and HMAC-SHA-256 over Uint8Array. Browsers have them only where the page came over
// HTTPS or from this machine; a talk in the local network needs them as well.

const K = constants();

function constants() {
  // The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  const found = [];
  for (let n = 2; found.length < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) prime = prime && n % d !== 0;
    if (prime) found.push(fraction(Math.cbrt(n)));
  }
  return Uint32Array.from(found);
}

function fraction(x) {
  return ((x - Math.floor(x)) * 0x100000000) >>> 0;
}

const rotate = (x, n) => (x >>> n) | (x << (32 - n));

function padded(data) {
  const blocks = Math.ceil((data.length + 9) / 64);
  const out = new Uint8Array(blocks * 64);
  out.set(data);
  out[data.length] = 0x80;
  const view = new DataView(out.buffer);
  view.setUint32(out.length - 8, Math.floor(data.length / 0x20000000));
  view.setUint32(out.length - 4, (data.length << 3) >>> 0);
  return view;
}

function compress(h, view, at, w) {
  for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15], b = w[i - 2];
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  let [a, b, c, d, e, f, g, k] = h;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (k + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [k, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, k].forEach((x, i) => { h[i] += x; });
}

export function sha256(data) {
  const h = Uint32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
  const view = padded(data);
  const w = new Uint32Array(64);
  for (let at = 0; at < view.byteLength; at += 64) compress(h, view, at, w);
  const out = new Uint8Array(32);
  const bytes = new DataView(out.buffer);
  h.forEach((x, i) => bytes.setUint32(i * 4, x));
  return out;
}

export function hmacSha256(key, data) {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? sha256(key) : key);
  const inner = new Uint8Array(64 + data.length);
  inner.set(block.map((x) => x ^ 0x36));
  inner.set(data, 64);
  const outer = new Uint8Array(64 + 32);
  outer.set(block.map((x) => x ^ 0x5c));
  outer.set(sha256(inner), 64);
  return sha256(outer);
}
