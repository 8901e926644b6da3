// The keyboard. The commands are those of frontend/commands.py. A control with a shortcut says so itself (data-key="r",
// the key that its command has unless the person gave it another): the key presses the visible one.
(() => {
  const tandem = (window.tandem ??= {});
  const LEAD_MS = 1200;
  // These open something to write in. Until the cursor stands there, what is typed is text, not commands.
  const OPENERS = ["reply", "reply-all", "forward", "compose"];
  const OPENING_MS = 1500;
  let lead = "";
  let led = 0;
  let opening = 0;
  let commands = new Map(); // by their names
  let byKey = new Map();
  let leads = new Set(); // keys after which another is awaited
  // A composer that closed under somebody's hands: until they pause, what they type is still text.
  let hushed = 0;

  const typing = (node) =>
    node instanceof Element &&
    (node.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]") !== null);

  // A control in a closed menu can still be pressed by its key; one in a pane that is not shown cannot.
  const visible = (node) =>
    node.getClientRects().length > 0 &&
    (node.closest("[data-panel]") !== null || node.checkVisibility({ visibilityProperty: true }));

  /** The visible control that carries a command out. What is ticked comes first, wherever else the command means something. */
  const controlOf = ({ key, at }) => {
    const all = [...document.querySelectorAll(at || `[data-key="${CSS.escape(key)}"]`)].filter(visible);
    const forMany = (node) => node.closest("[data-panel=many], .many-bar") !== null;
    return (tandem.marked?.().length && all.find(forMany)) || all.find((node) => !forMany(node));
  };
  const press = (command) => {
    const control = controlOf(command);
    if (!control) return false;
    if (control.matches("textarea, input, [contenteditable=true]")) control.focus();
    else control.click();
    return true;
  };

  /** The offer to take something back may still be on its way from the server. */
  const undo = (tries = 30) => {
    if (!press(commands.get("undo")) && tries) setTimeout(() => undo(tries - 1), 50);
  };

  const onDesk = () => document.querySelector("[data-desk]") !== null;
  const someRows = () => onDesk() && tandem.rows().length > 0;
  const read = () => {
    if (!tandem.selected) tandem.step(1);
    document.querySelector(`.pane[data-pane="${tandem.selected}"] .thread`)?.focus();
  };
  // What no control on the page stands for: whether it can be done now, and how.
  const OWN = {
    next: [someRows, () => tandem.step(1)],
    previous: [someRows, () => tandem.step(-1)],
    read: [someRows, read],
    back: [() => tandem.selected > 0, () => tandem.close()],
    choose: [someRows, (from) => tandem.mark(from?.closest?.("[data-box]"))],
    "choose-all": [someRows, () => tandem.bridge?.markAll()],
    palette: [() => Boolean(tandem.palette), () => tandem.palette.open()],
  };

  /** Have a command carried out; false where nothing can do that now. `from`: where the focus stands. */
  const run = (name, from = document.activeElement) => {
    const command = commands.get(name);
    if (!command) return false;
    if (OWN[name]) {
      const [possible, does] = OWN[name];
      if (possible()) does(from);
      return true;
    }
    if (command.to) {
      tandem.go(command.to);
      return true;
    }
    return press(command);
  };
  /** Whether a command can be carried out now. */
  const possible = (command) => {
    if (OWN[command.name]) return OWN[command.name][0]();
    return Boolean(command.to || controlOf(command));
  };

  /** Which commands there are (frontend/commands.py), and which keys they have for this person, by their names. */
  const setCommands = (all, keys) => {
    commands = new Map(all.map((command) => [command.name, command]));
    byKey = new Map(Object.entries(keys).filter(([, { key }]) => key).map(([name, { key }]) => [key, name]));
    leads = new Set([...byKey.keys()].filter((key) => /^. ./u.test(key)).map((key) => [...key][0]));
    hint(keys);
  };

  // Beside controls stands which key presses them. That is the page's own text, until a person chose another key.
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const hint = (keys) =>
    sheet.replaceSync(
      Object.entries(keys)
        .filter(([name, { key }]) => key !== commands.get(name)?.key && commands.get(name)?.key)
        .map(([name, { label }]) => {
          const at = `kbd[data-hint="${CSS.escape(commands.get(name).key)}"]`;
          return label ? `${at}{font-size:0}${at}::after{content:"${CSS.escape(label)}";font-size:11px}` : `${at}{display:none}`;
        })
        .join("\n"),
    );

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
    if ((event.metaKey || event.ctrlKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      if (dialog) return;
      event.preventDefault();
      return run("palette");
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
    if (event.key === "Escape") {
      if (tandem.marked().length) return tandem.unmark();
      if (tandem.selected) tandem.close();
      return;
    }
    if (event.key === "Enter") {
      if (event.target === document.body || !event.target.matches?.("a, button, summary, [tabindex]")) read();
      return;
    }
    if ([...event.key].length !== 1) return;
    const first = now - led < LEAD_MS ? lead : "";
    lead = "";
    if (!first && leads.has(event.key)) {
      lead = event.key;
      led = now;
      return;
    }
    const name = byKey.get(first ? `${first} ${event.key}` : event.key);
    if (!name) return;
    if (name === "undo") {
      event.preventDefault();
      return undo();
    }
    if (!run(name, event.target)) return;
    event.preventDefault();
    if (OPENERS.includes(name) && !typing(document.activeElement)) opening = now;
  };

  document.addEventListener("keydown", key);
  document.addEventListener("focusin", (event) => {
    if (typing(event.target) || event.target.closest?.(".ask")) opening = 0;
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-opens]")) opening = Date.now();
  });
  Object.assign(tandem, { key, run, possible, setCommands });
  tandem.hushKeys = () => (hushed = Date.now());
})();
