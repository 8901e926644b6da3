// Which conversations are ticked in the list, and what is done with all of them at once.
//
// The ticks belong to this script: rows come and go with the window over the list, and are ticked again when they
// stand in the page. The server hears of them only with what is to be done.
(() => {
  const tandem = (window.tandem ??= {});
  const marked = new Set();
  let last = 0;

  const desk = () => document.querySelector("[data-desk]");
  const boxes = () => [...document.querySelectorAll("[data-box]")].filter((box) => box.offsetParent);
  const idOf = (box) => Number(box.dataset.box);

  const draw = () => {
    for (const box of document.querySelectorAll("input[data-mark]")) {
      const on = marked.has(Number(box.dataset.mark));
      if (box.checked !== on) box.checked = on;
    }
    desk()?.toggleAttribute("data-marked", marked.size > 0);
    for (const each of document.querySelectorAll("[data-for-several]")) each.hidden = marked.size < 2;
    for (const each of document.querySelectorAll("[data-for-chosen]")) each.hidden = !marked.size;
    const bar = document.querySelector(".many-bar");
    if (!bar) return;
    const said = `${marked.size} chosen`;
    const count = bar.querySelector("[data-many-count]");
    if (count.textContent !== said) count.textContent = said;
    const all = bar.querySelector("[data-mark-all]");
    const here = boxes();
    all.checked = here.length > 0 && here.every((box) => marked.has(idOf(box)));
    all.indeterminate = marked.size > 0 && !all.checked;
  };

  const put = (id, on) => (on ? marked.add(id) : marked.delete(id));

  /** Tick from the last one to this one. */
  const range = (id, on) => {
    const ids = boxes().map(idOf);
    const [a, b] = [ids.indexOf(last), ids.indexOf(id)].sort((x, y) => x - y);
    for (const each of a < 0 ? [id] : ids.slice(a, b + 1)) put(each, on);
  };

  /** Tick a row, or take its tick away: this one, else that of the conversation shown, else the first. */
  const mark = (box) => {
    const shown = tandem.selected && document.querySelector(`[data-box="${tandem.selected}"]`);
    const chosen = box ?? (shown || boxes()[0]);
    if (!chosen) return;
    last = idOf(chosen);
    put(last, !marked.has(last));
    draw();
  };

  const unmark = () => {
    const focused = document.activeElement?.closest(".many-bar");
    marked.clear();
    desk()?.removeAttribute("data-choosing");
    draw();
    if (focused) document.querySelector(`.row[data-conversation-id="${last}"]`)?.focus({ preventScroll: true });
  };

  /** The server says which there are. */
  const marks = (ids) => {
    for (const id of ids) marked.add(id);
    draw();
  };

  const changeMany = (ids, change) => {
    tandem.bridge?.many(ids, change);
    unmark();
  };

  const setStatus = (ids, status) => {
    changeMany(ids, { type: "status", status });
    if (tandem.leaves(status)) tandem.leave(...ids);
  };

  /** Do with all of these what a control says; false: it is not for many. */
  const act = (control, ids) => {
    const { act: what, user, team, tag, visibility } = control.dataset;
    const assign = (user_id, team_id) => changeMany(ids, { type: "assignee", user_id, team_id });
    switch (what) {
      case "done":
      case "open":
      case "spam":
      case "trash":
        setStatus(ids, what);
        return true;
      case "read":
      case "unread":
        changeMany(ids, { type: "read", read: what === "read" });
        return true;
      case "visibility":
        changeMany(ids, { type: "visibility", visibility });
        return true;
      case "assign":
        assign(Number(user ?? 0) || null, Number(team ?? 0) || null);
        return true;
      case "assign-me":
        assign(Number(desk()?.dataset.me), null);
        return true;
      case "star": {
        const starred = !ids.every((id) => tandem.facts(id).starred === "yes");
        for (const id of ids) tandem.showStar(id, starred);
        changeMany(ids, { type: "star", starred });
        return true;
      }
      case "tag": {
        const has = control.getAttribute("aria-checked") === "true";
        changeMany(ids, { type: "tags", [has ? "remove" : "add"]: [Number(tag)] });
        return true;
      }
      case "tag-new":
        changeMany(ids, { type: "tags", new: control.querySelector("[data-typed]").textContent });
        return true;
      case "move":
        tandem.move(ids, Number(control.dataset.to));
        return true;
      case "merge":
        if (ids.length < 2) return false;
        tandem.merge(ids);
        return true;
      case "delete":
        askToDelete(ids);
        return true;
      default:
        return false;
    }
  };

  // ---- deleting for good is asked for first; without ids it is the whole Trash

  let doomed = [];
  const askToDelete = (ids) => {
    const dialog = document.querySelector("dialog.delete-dialog");
    if (!dialog) return;
    doomed = ids;
    const many = ids.length === 1 ? "this conversation" : `${ids.length} conversations`;
    dialog.querySelector("[data-what]").textContent = `Delete ${ids.length ? many : "all in this Trash"} for good?`;
    dialog.showModal();
  };
  const deleteNow = () => {
    document.querySelector("dialog.delete-dialog")?.close();
    if (!doomed.length) return tandem.bridge?.emptyTrash();
    changeMany(doomed, { type: "delete" });
    tandem.leave(...doomed);
  };

  document.addEventListener("click", (event) => {
    const node = event.target instanceof Element ? event.target : null;
    const box = node?.closest("input[data-mark]");
    if (box) {
      const id = Number(box.dataset.mark);
      if (event.shiftKey && last) range(id, box.checked);
      else put(id, box.checked);
      last = id;
      return draw();
    }
    if (node?.closest("input[data-mark-all]")) {
      if (node.checked) tandem.bridge?.markAll();
      else unmark();
      return;
    }
    const row = node?.closest(".row[data-conversation-id]");
    if (!row) return;
    const id = Number(row.dataset.conversationId);
    const choosing = desk()?.hasAttribute("data-choosing");
    if (!event.shiftKey && !choosing) return;
    // The row itself is a box to tick now; it must neither open nor go to another window.
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.shiftKey && last) range(id, true);
    else put(id, !marked.has(id));
    last = id;
    draw();
  }, true);

  // Rows that have come into the window are ticked as they were.
  let watched = null;
  const watch = () => {
    const list = document.querySelector("[data-list-scroll]");
    if (!list || list === watched) return;
    watched = list;
    new MutationObserver(draw).observe(list, { childList: true, subtree: true });
  };
  window.addEventListener("tandem:mounted", () => {
    if (!desk()) marked.clear();
    watch();
    draw();
  });

  Object.assign(tandem, { marked: () => [...marked], mark, marks, unmark, changeMany, actOnMany: act, askToDelete, deleteNow });
})();
