// Runs in every page of the interface's benchmark before the page's own scripts: how long after a key, a click or a turn
// of the wheel something stands painted before the eyes. All by performance.now() of the page.
(() => {
  const LIMIT_MS = 15_000;
  let longTasks = 0;
  new PerformanceObserver((list) => (longTasks += list.getEntries().length)).observe({ type: "longtask" });

  /** From within an animation frame: called once that frame has been painted. */
  const painted = (then) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => then(performance.now());
    channel.port2.postMessage(0);
  };

  let waiting = null;
  const frames = (test, resolve, reject, until) => {
    if (test()) return painted(resolve);
    if (performance.now() > until) return reject(new Error("it did not come to pass"));
    requestAnimationFrame(() => frames(test, resolve, reject, until));
  };

  const seen = (node) => Boolean(node) && node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
  const inView = (node) => {
    const box = node.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight && box.height > 0;
  };

  const all = () => [...document.querySelectorAll(".row[data-conversation-id]")].filter(seen);

  const tests = {
    /** The conversation stands there with a message. */
    shown: (id) => () => seen(document.querySelector(`.pane[data-pane="${id}"] section[data-message]`)),
    /** Its row is gone, and another conversation stands there. */
    done: (id, next) => () =>
      !seen(document.querySelector(`.row[data-conversation-id="${id}"]`)) && (!next || tests.shown(next)()),
    /** It shows whose it is, in the list and in its head. */
    assigned: (id, initials) => () => {
      const says = (node) =>
        seen(node) && (node.textContent.includes(initials) || ["::before", "::after"].some((part) => getComputedStyle(node, part).content.includes(initials)));
      return [...document.querySelectorAll(`.row[data-conversation-id="${id}"] .meta, .row[data-conversation-id="${id}"] .meta *`)].some(says);
    },
    /** A row of what was looked for. */
    found: (text) => () =>
      [...document.querySelectorAll(".row[data-conversation-id]")].some((row) => row.textContent.includes(text) && inView(row)),
    /** The list stands elsewhere than `top`, with rows all over. */
    scrolled: (top) => () => {
      const list = document.querySelector("[data-list-scroll]");
      if (Math.abs(list.scrollTop - top) < 100) return false;
      const box = list.getBoundingClientRect();
      return [0.15, 0.5, 0.9].every((part) =>
        document.elementFromPoint(box.left + 60, box.top + box.height * part)?.closest(".row[data-conversation-id]"));
    },
  };

  window.moments = {
    /** Measure from the next event of this type until one of the tests holds and that is painted. */
    arm(type, test, ...told) {
      waiting = new Promise((resolve, reject) => {
        const begin = (event) => {
          const began = event.timeStamp;
          const until = performance.now() + LIMIT_MS;
          requestAnimationFrame(() => frames(tests[test](...told), (at) => resolve(at - began), reject, until));
        };
        window.addEventListener(type, begin, { capture: true, once: true });
      });
      waiting.catch(() => {});
    },
    taken: () => waiting,
    longTasks: () => longTasks,
    selected: () => window.tandem?.selected ?? 0,
    /** The conversations of the list, those that are done taken out; and those of them that are before the eyes. */
    list: () => all().map((row) => Number(row.dataset.conversationId)),
    rows: () => all().filter(inView).map((row) => Number(row.dataset.conversationId)),
    /** Milliseconds from the beginning of the page's loading until its first row was painted. */
    firstRow: null,
  };
  window.moments.firstRow = new Promise((resolve) => {
    const look = () => (document.querySelector(".row[data-conversation-id]") ? painted(resolve) : requestAnimationFrame(look));
    requestAnimationFrame(look);
  });
})();
