// Moving into another mailbox: a row leaves the list of the one that it stood in at once.
(() => {
  const tandem = (window.tandem ??= {});

  const move = (ids, mailbox) => {
    if (!ids.length || !mailbox) return;
    tandem.bridge?.move(ids, mailbox);
    const state = document.querySelector("[data-desk]")?.dataset;
    if (state?.kind === "mailbox" && Number(state.mailbox) !== mailbox) tandem.leave(...ids);
    tandem.unmark();
  };

  // Where all of them stand already is not offered.
  document.addEventListener("tandem:menu", (event) => {
    if (event.target.dataset.panel !== "move") return;
    const known = tandem.about.ids.map(tandem.facts);
    for (const item of event.target.querySelectorAll("[data-to]"))
      item.hidden = known.length > 0 && known.every((each) => each.mailbox === item.dataset.to);
  });

  Object.assign(tandem, { move });
})();
