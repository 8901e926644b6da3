// What is asked before a mail is split off: which mails, whether comments go along, and the new subject.
(() => {
  const tandem = (window.tandem ??= {});
  let message = 0;
  let conversation = 0;

  const panel = () => document.querySelector('[data-panel="split"]');
  const part = (name) => panel().querySelector(`[data-split-${name}]`);
  const which = (value) => panel().querySelector(`[data-split-which="${value}"]`);
  /** Comments go along with all that came after, not with one mail. */
  const sift = () => {
    const after = which("after").checked;
    part("comments-line").hidden = !after;
    if (!after) part("comments").checked = false;
  };

  document.addEventListener("tandem:menu", (event) => {
    const from = event.detail?.from;
    if (event.target.dataset.panel !== "split" || !from) return;
    message = Number(from.dataset.split);
    conversation = tandem.selected;
    // All after the first mail would be everything, all after the last one nothing.
    const single = Boolean(from.dataset.first || from.dataset.last);
    which("after").closest("[role=radiogroup]").hidden = single;
    which(single ? "one" : "after").checked = true;
    part("comments").checked = !single;
    part("subject").value = from.dataset.subject;
    sift();
  });

  const split = () => {
    tandem.bridge?.split(
      conversation, message, which("after").checked, part("comments").checked, part("subject").value);
    tandem.closeMenu();
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-split-which]")) sift();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-split-now]")) split();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("[data-split-subject]")) split();
  });
})();
