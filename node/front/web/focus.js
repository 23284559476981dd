// SPDX-License-Identifier: MIT
// focus: the keyboard is never left at nothing. When what had it is gone or not seen any more, whatever
// the reason, it goes on where the person most likely does.
import { isTouch } from './keys.js';

const FIELDS = ['say', 'name', 'room-name'];
const PLACES = ['room-title', 'rooms', 'users-heading'];
const canBeSeen = (element) => element.isConnected && element.checkVisibility({ visibilityProperty: true });

/** The place to go on at. On a touch screen no field is opened unasked. */
export function mainPlace() {
  const ids = isTouch() ? [...PLACES, ...FIELDS] : [...FIELDS, ...PLACES];
  return ids.map((id) => document.getElementById(id)).find(canBeSeen);
}

export function focusMain() {
  const place = mainPlace();
  if (place && !place.matches('input, textarea, [tabindex]')) place.tabIndex = -1;
  place?.focus({ preventScroll: true });
}

export function keepFocus() {
  let last = document.body;
  const look = () => {
    const { activeElement: now, body } = document;
    if (now !== body && now !== null && canBeSeen(now)) last = now;
    if (last === body || canBeSeen(last) || document.querySelector('dialog[open]')) return;
    last = body;
    focusMain();
  };
  document.addEventListener('focusin', look);
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true,
    attributeFilter: ['hidden', 'open', 'data-tab', 'data-room'] });
}
