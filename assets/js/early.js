// A page is seen a moment before it lives: until React has taken it over, nobody hears what is done in it, and a form
// would load the page anew. What is clicked, sent, typed or chosen meanwhile is kept, and done once it can be heard.
(() => {
  const KINDS = ["click", "submit", "input", "change"];
  const kept = new Map();

  const again = {
    click: (button) => button.click(),
    submit: (form, submitter) => form.requestSubmit(submitter),
    input: (field) => {
      field._valueTracker?.setValue(""); // by which React tells that nothing was typed
      field.dispatchEvent(new Event("input", { bubbles: true }));
    },
    change: (field) => field.dispatchEvent(new Event("change", { bubbles: true })),
  };

  const keep = (event) => {
    if (!(event.target instanceof Element)) return;
    const { type } = event;
    const node = type === "click" ? event.target.closest("button") : event.target;
    if (!node || (type === "change" && !node.matches("select, [type=file]"))) return;
    if (type !== "input") {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    kept.set(node, () => node.isConnected && again[type](node, event.submitter)); // once, however often it was pressed
  };

  for (const kind of KINDS) window.addEventListener(kind, keep, true);
  const lives = () => {
    for (const kind of KINDS) window.removeEventListener(kind, keep, true);
    setTimeout(() => kept.forEach((tell) => tell()), 0); // when whoever hears it has heard that the page lives
  };
  window.addEventListener("tandem:mounted", lives, { once: true });
})();
