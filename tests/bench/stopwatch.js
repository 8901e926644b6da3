// Runs in every page of a benchmark before the page's own scripts: notes when something came into the DOM, when the
// person clicked, and when an opened conversation was painted. Times are milliseconds since the epoch.
(() => {
  const LIMIT_MS = 15_000;
  const now = () => performance.timeOrigin + performance.now();
  const expected = new Set();
  let clicked = 0;

  /** A promise that `look` keeps as soon as `test` holds. */
  const until = (test, what) =>
    new Promise((resolve, reject) => {
      const one = { test, resolve };
      expected.add(one);
      setTimeout(() => expected.delete(one) && reject(new Error(`${what} did not come to pass`)), LIMIT_MS);
      look();
    });

  const look = () => {
    for (const one of expected) {
      if (!one.test()) continue;
      expected.delete(one);
      one.resolve(now());
    }
  };

  const holds = ({ selector, text, absent }) => {
    const found = [...document.querySelectorAll(selector)].some((node) => !text || node.textContent.includes(text));
    return found !== Boolean(absent);
  };

  const visible = (node) => node.checkVisibility({ visibilityProperty: true });

  /** Whether the conversation stands before the eyes, with the mark in an unfolded message of it. */
  const shows = (id, mark) => {
    const pane = document.querySelector(`.pane[data-pane="${id}"]`);
    if (!pane || !visible(pane)) return false;
    for (const message of pane.querySelectorAll("section[data-message]")) {
      const frame = message.querySelector("iframe");
      const text = frame ? frame.contentDocument?.body?.textContent : message.querySelector(".plain")?.textContent;
      if (text?.includes(mark) && (!frame || visible(frame))) return true;
    }
    return false;
  };

  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
  document.addEventListener("load", look, true); // frames: it does not bubble, but it can be captured
  window.addEventListener("click", (event) => (clicked = performance.timeOrigin + event.timeStamp), true);

  const promises = new Map();
  window.stopwatch = {
    now,
    clicked: () => clicked,
    /** Begin to wait for something in the DOM: {selector, text, absent}. */
    expect(name, what) {
      promises.set(name, until(() => holds(what), name));
      promises.get(name).catch(() => {});
    },
    /** Begin to wait until the conversation that is clicked next is painted. */
    expectOpened(id, mark) {
      const opened = new Promise((resolve, reject) => {
        const begin = () => {
          const began = clicked;
          const ready = document.querySelector(`.pane[data-pane="${id}"]`) !== null;
          // The style sheet that shows a pane is no mutation: look once the page's own listeners have run.
          setTimeout(look);
          until(() => shows(id, mark), `opening ${id}`).then((content) => {
            const html = Boolean(document.querySelector(`.pane[data-pane="${id}"] iframe`));
            requestAnimationFrame(() =>
              requestAnimationFrame(() => resolve({ began, content, painted: now(), ready, html })),
            );
          }, reject);
        };
        window.addEventListener("click", begin, { capture: true, once: true });
      });
      promises.set("opened", opened);
      opened.catch(() => {});
    },
    when: (name) => promises.get(name),
  };
})();
