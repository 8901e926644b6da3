/** Put other parts into a composer, and the focus back on the control of the same name where the old one went with them. */
export const keepingFocus = (draft, swap) => {
  const composer = () => document.querySelector(`[data-composer="${draft}"]`);
  const held = document.activeElement;
  const name = composer()?.contains(held) && (held.getAttribute("aria-label") || held.textContent);
  swap();
  if (!name || held.isConnected) return;
  const now = [...composer().querySelectorAll("button")].find((each) => (each.getAttribute("aria-label") || each.textContent) === name);
  now?.focus({ preventScroll: true });
};
