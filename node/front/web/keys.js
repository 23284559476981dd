// SPDX-License-Identifier: MIT
// keys: what the keyboard does beyond Tab and Enter, and the dialog that tells it. By place on the
// keyboard, since Alt makes other characters of letters on some.

export const isTouch = () => matchMedia('(pointer: coarse)').matches;

const PLACES = { Digit1: 'rooms', Digit2: 'talk', Digit3: 'people', Digit4: 'invitation' };

/** `go`: what to do for rooms, talk, people, invitation and latest. */
export function listenForKeys(go) {
  const dialog = document.getElementById('keys');
  const field = document.getElementById('say');
  const isIn = () => !document.getElementById('app').hidden && !document.querySelector('dialog[open]');

  document.getElementById('help').addEventListener('click', () => dialog.showModal());
  document.getElementById('keys-close').addEventListener('click', () => dialog.close());
  document.addEventListener('keydown', (event) => {
    if (!isIn() || event.isComposing || event.ctrlKey || event.metaKey) return;
    const place = event.altKey && !event.shiftKey ? PLACES[event.code] : undefined;
    if (place !== undefined) {
      event.preventDefault();
      go[place]();
    } else if (event.key === 'Escape' && field.checkVisibility()) {
      go.latest();
    } else if ((event.key === 'PageUp' || event.key === 'PageDown') && event.target === field) {
      event.preventDefault();
      const scroller = document.getElementById('scroller');
      scroller.scrollBy(0, scroller.clientHeight * (event.key === 'PageUp' ? -0.9 : 0.9));
    }
  });
}
