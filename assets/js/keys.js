// The keyboard. A control with a shortcut says so itself (data-key="r"): the key presses the visible one.
(() => {
  const tandem = (window.tandem ??= {});
  const LEAD_MS = 1200;
  // These keys open something to write in. Until the cursor stands there, what is typed is text, not commands.
  const OPENERS = ["r", "a", "f", "c"];
  const OPENING_MS = 1500;
  let lead = 0;
  let opening = 0;
  // A composer that closed under somebody's hands: until they pause, what they type is still text.
  let hushed = 0;

  const typing = (node) =>
    node instanceof Element &&
    (node.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]") !== null);

  // A control in a closed menu can still be pressed by its key; one in a pane that is not shown cannot.
  const visible = (node) =>
    node.getClientRects().length > 0 &&
    (node.closest("[data-panel]") !== null || node.checkVisibility({ visibilityProperty: true }));

  const press = (key) => {
    // What is ticked comes first, wherever else the key means something.
    const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(visible);
    const forMany = (node) => node.closest("[data-panel=many]") !== null;
    const control = (tandem.marked?.().length && all.find(forMany)) || all.find((node) => !forMany(node));
    if (!control) return false;
    if (control.matches("textarea, input, [contenteditable=true]")) control.focus();
    else control.click();
    return true;
  };

  /** The offer to take something back may still be on its way from the server. */
  const undo = (tries = 30) => {
    if (!press("z") && tries) setTimeout(() => undo(tries - 1), 50);
  };

  const key = (event) => {
    if (event.defaultPrevented || event.altKey) return;
    const dialog = document.querySelector("dialog[open]");
    if (tandem.menu && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      return tandem.moveIn(tandem.menu, event.key === "ArrowDown" ? 1 : -1);
    }
    if (event.key === "Escape" && tandem.menu) {
      event.preventDefault();
      return tandem.closeMenu(true);
    }
    const asked = event.key === "Escape" && document.querySelector("details.sure[open]");
    if (asked) {
      event.preventDefault();
      asked.open = false;
      return asked.querySelector("summary").focus();
    }
    const question = event.key === "Escape" && [...document.querySelectorAll("[data-escape]")].find(visible);
    if (question) {
      event.preventDefault();
      return question.click();
    }
    if (tandem.menu && event.key === "Enter" && event.target.matches?.("[data-filter]")) {
      event.preventDefault();
      return [...tandem.menu.querySelectorAll("[role=menuitem],[role=menuitemcheckbox]")].find(visible)?.click();
    }
    if (event.metaKey || event.ctrlKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    // Whoever began to type before they saw the question gives no commands by it.
    if (dialog || tandem.menu || event.target.closest?.(".ask, [data-composer]")) return;
    const now = Date.now();
    if (now - opening < OPENING_MS) return;
    if (now - hushed < OPENING_MS) {
      hushed = now;
      return;
    }
    if (now - lead < LEAD_MS) {
      lead = 0;
      if (press(`g ${event.key}`)) event.preventDefault();
      return;
    }
    switch (event.key) {
      case "j":
      case "k":
        event.preventDefault();
        return tandem.step(event.key === "j" ? 1 : -1);
      case "g":
        lead = now;
        return;
      case "x":
        event.preventDefault();
        return tandem.mark(event.target.closest?.("[data-box]"));
      case "X":
        event.preventDefault();
        return tandem.bridge?.markAll();
      case "u":
      case "Escape":
        if (event.key === "Escape" && tandem.marked().length) return tandem.unmark();
        if (tandem.selected) tandem.close();
        return;
      case "Enter": {
        if (event.target !== document.body && event.target.matches?.("a, button, summary, [tabindex]")) return;
        if (!tandem.selected) tandem.step(1);
        document.querySelector(`.pane[data-pane="${tandem.selected}"] .thread`)?.focus();
        return;
      }
      case "z":
        event.preventDefault();
        return undo();
      default:
        if (event.key.length !== 1 || !press(event.key)) return;
        event.preventDefault();
        if (OPENERS.includes(event.key) && !typing(document.activeElement)) opening = now;
    }
  };

  document.addEventListener("keydown", key);
  document.addEventListener("focusin", (event) => {
    if (typing(event.target) || event.target.closest?.(".ask")) opening = 0;
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-opens]")) opening = Date.now();
  });
  tandem.key = key;
  tandem.hushKeys = () => (hushed = Date.now());
})();
