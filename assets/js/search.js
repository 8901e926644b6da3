// The search box: moving through what it offers, and putting the chosen one in. What is offered comes from the server
// (frontend/inbox/completing.py); what stands in the box is the person's own.
(() => {
  const box = (node) => (node instanceof Element ? node.closest("[data-searching]") : null);
  const list = (input) => document.getElementById(input.getAttribute("aria-controls"));
  const options = (input) => [...(list(input)?.querySelectorAll("[data-offer]") ?? [])];
  const open = (input) => options(input).length > 0 && !list(input).dataset.closed;

  const mark = (input, chosen) => {
    for (const each of options(input)) each.setAttribute("aria-selected", String(each === chosen));
    if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
    else input.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  };
  const chosenOf = (input) => options(input).find((each) => each.getAttribute("aria-selected") === "true");

  // What is offered may still be for what stood there a moment ago: who presses an arrow then gets the first of the next.
  const fresh = (input) => list(input)?.dataset.for === input.value;
  let waiting = null;
  const later = (input) => {
    waiting?.disconnect();
    waiting = new MutationObserver(() => {
      if (!fresh(input)) return;
      waiting.disconnect();
      mark(input, options(input)[0] ?? null);
    });
    waiting.observe(list(input), { attributes: true, attributeFilter: ["data-for"] });
  };

  const put = (input, chosen) => {
    const text = chosen.dataset.offer;
    mark(input, null);
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, text);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
    input.setSelectionRange(text.length, text.length);
    input.scrollLeft = input.scrollWidth;
  };

  document.addEventListener(
    "keydown",
    (event) => {
      const input = box(event.target);
      if (!input || event.isComposing) return;
      const all = options(input);
      const chosen = chosenOf(input);
      const take = () => {
        event.preventDefault();
        event.stopPropagation();
      };
      if (event.key === "Escape" && open(input)) {
        if (input.value) take(); // what was typed stays; out of an empty box it leads at once
        mark(input, null);
        list(input).dataset.closed = "yes";
        input.setAttribute("aria-expanded", "false");
      } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
        take();
        delete list(input).dataset.closed;
        input.setAttribute("aria-expanded", "true");
        if (!fresh(input)) return later(input);
        const at = all.indexOf(chosen);
        mark(input, all[event.key === "ArrowDown" ? (at + 1) % all.length : at <= 0 ? all.length - 1 : at - 1]);
      } else if ((event.key === "Enter" || event.key === "Tab") && chosen && open(input) && fresh(input) && !event.shiftKey) {
        take();
        put(input, chosen);
      } else if (event.key === "Enter") {
        list(input).dataset.closed = "yes"; // it is searched for
      }
    },
    true,
  );
  document.addEventListener("input", (event) => {
    const input = box(event.target);
    if (!input) return;
    delete list(input).dataset.closed;
    waiting?.disconnect();
    mark(input, null);
  });
  document.addEventListener("focusin", (event) => {
    const input = box(event.target);
    if (input && list(input)) delete list(input).dataset.closed;
  });
  // Before the box loses the focus, which would close the list.
  document.addEventListener("mousedown", (event) => {
    const offer = event.target instanceof Element ? event.target.closest("[data-offer]") : null;
    if (!offer) return;
    event.preventDefault();
    put(offer.closest("form").querySelector("[data-searching]"), offer);
  });
})();
