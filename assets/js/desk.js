// What must not wait for the network: which conversation is shown, which rows are gone, where the list stands.
//
// The selection belongs to this script. It is a few attributes that React knows nothing of: one shows the pane of the
// selected conversation, one marks its row, others hide rows that were done or deleted; what React makes anew gets them
// before it is painted. The panes of the neighbours already stand in the page, so moving on touches two panes and two
// rows. The server follows: it hears of each step through the bridge (assets/widgets/bridge.jsx), keeps the new
// neighbours ready, and confirms a removal or puts the row back.
(() => {
  const tandem = (window.tandem ??= {});

  let selected = 0;
  const gone = new Set();

  const desk = () => document.querySelector("[data-desk]");
  const scroller = () => document.querySelector("[data-list-scroll]");
  const rowOf = (id) => document.querySelector(`.row[data-conversation-id="${id}"]`);
  const rows = () =>
    [...document.querySelectorAll(".row[data-conversation-id]")].filter((row) => !gone.has(idOf(row)));
  const idOf = (row) => Number(row.dataset.conversationId);
  const onPhone = () => window.matchMedia("(max-width: 759px)").matches;

  // A toast lives on in the tab's state. After a reload its time is over, and so is what it offers to take back.
  const TOAST = "tandem-toast";
  const stale = sessionStorage.getItem(TOAST);
  if (stale) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`.toast[data-toast="${CSS.escape(stale)}"]{display:none}`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  window.addEventListener("pagehide", () =>
    sessionStorage.setItem(TOAST, document.querySelector(".toast")?.dataset.toast ?? ""));

  const draw = () => {
    document.documentElement.toggleAttribute("data-reading", selected > 0);
    window.dispatchEvent(new Event("tandem:shown"));
    mark();
    settle();
  };

  // A conversation opens at its newest message; coming back to it finds it where it was left.
  const settled = new WeakMap();
  let stood = 0;
  const settle = () => {
    const pane = selected && document.querySelector(`.pane[data-pane="${selected}"]`);
    for (const other of document.querySelectorAll(".pane[data-shown]")) if (other !== pane) other.removeAttribute("data-shown");
    if (pane) pane.setAttribute("data-shown", "yes");
    document.querySelector(".panes")?.toggleAttribute("data-waiting", Boolean(selected && !pane));
    if (!pane) {
      // It went while it was shown: the server leads to where it is now, or says that it is out of sight.
      if (selected && stood === selected) tandem.bridge?.select(selected);
      stood = 0;
      return;
    }
    stood = selected;
    if (settled.get(pane) === selected) return;
    settled.set(pane, selected);
    const thread = pane.querySelector(".thread");
    const messages = thread.querySelectorAll("section[data-message]");
    const newest = messages[messages.length - 1];
    const above = newest ? newest.offsetTop - thread.offsetTop - 14 : 0;
    thread.scrollTop = thread.querySelectorAll(":scope > *:not(.here-line)").length > 1 ? Math.max(0, above) : 0;
  };

  const mark = () => {
    const now = selected ? rowOf(selected) : null;
    for (const row of document.querySelectorAll('.row[aria-current="true"]')) if (row !== now) row.removeAttribute("aria-current");
    now?.setAttribute("aria-current", "true");
    for (const box of document.querySelectorAll("[data-box][data-gone]")) if (!gone.has(Number(box.dataset.box))) box.removeAttribute("data-gone");
    for (const id of gone) document.querySelector(`[data-box="${id}"]`)?.setAttribute("data-gone", "yes");
  };

  const address = (push) => {
    const state = desk()?.dataset;
    if (!state || location.pathname !== "/") return;
    const query = new URLSearchParams();
    if (state.kind !== "mailbox") query.set("list", state.kind);
    if (Number(state.mailbox)) query.set("mailbox", state.mailbox);
    if (state.kind === "mailbox" && state.shows !== "open") query.set("view", state.shows);
    if (["search", "tag", "view", "filter"].includes(state.kind)) query.set("q", state.query);
    if (selected) query.set("conversation", selected);
    const next = "/" + (query.size ? "?" + query : "");
    if (next === location.pathname + location.search) return;
    if (push) history.pushState(history.state, "", next);
    else history.replaceState(history.state, "", next);
  };

  // A notification leads to the very mail (m12), comment (c7) or mail of the outbox (o3) that it tells of; what is folded there unfolds.
  const PLACES = { m: "message", c: "comment", o: "outgoing" };
  const seek = (id, at, tries = 300) => {
    if (selected !== id || !tries) return;
    const pane = document.querySelector(`.pane[data-pane="${id}"]`);
    const place = pane?.querySelector(`[data-${PLACES[at[0]]}="${at.slice(1)}"]`);
    if (!pane?.querySelector(".thread section")) return requestAnimationFrame(() => seek(id, at, tries)); // not here yet
    if (!place || place.matches(".fold")) {
      if (tries % 100 === 0) place?.click();
      if (tries === 150) pane?.querySelector(".thread > .link.centred")?.click();
      return requestAnimationFrame(() => seek(id, at, tries - 1));
    }
    const show = () => place.scrollIntoView({ block: "center" });
    show();
    setTimeout(show, 300); // a mail above it may have grown
    place.dataset.sought = "yes";
    setTimeout(() => delete place.dataset.sought, 2500);
  };

  // Of a conversation that stands ready the server and the address are told once it is painted: what they bring about is
  // rendered after that, and not before. Of several within that moment they are told of the last.
  const LATEST_MS = 120; // no frames come to a page that nobody sees
  let untold = 0;
  const tellOfSelected = () => {
    const tell = () => {
      clearTimeout(untold);
      untold = 0;
      if (!selected) return;
      tandem.bridge?.select(selected);
      address(false);
    };
    if (!selected) return;
    if (!document.querySelector(`.pane[data-pane="${selected}"]`)) return tell();
    if (untold) return;
    const waiting = (untold = setTimeout(tell, LATEST_MS));
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => untold === waiting && tell())));
  };

  /** Show a conversation at once, at a place in it where one is named, then tell the server. */
  const select = (id, { follow = true, at = "" } = {}) => {
    const before = selected;
    selected = id;
    draw();
    if (follow) rowOf(id)?.scrollIntoView({ block: "nearest" });
    if (onPhone() && !before) address(true);
    tellOfSelected();
    if (/^[mco]\d+$/.test(at)) seek(id, at);
  };

  const close = () => {
    selected = 0;
    draw();
    address(false);
  };

  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => idOf(row) === selected);
    const next = at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, at + by))];
    if (next && idOf(next) !== selected) select(idOf(next));
  };

  /** Lead to a page or list, by its address: a list on the desk opens without leaving it. */
  const go = (path) => {
    const { pathname, searchParams } = new URL(path, location.origin);
    if (!desk() || pathname !== "/") return tandem.navigate ? tandem.navigate(path) : location.assign(path);
    if (searchParams.get("conversation")) return select(Number(searchParams.get("conversation")));
    const kind = searchParams.get("list") ?? "mailbox";
    const which = ["search", "tag", "view", "filter"].includes(kind) ? searchParams.get("q") : searchParams.get("view");
    close();
    for (const each of document.querySelectorAll(".rail [data-list].on")) each.classList.remove("on");
    tandem.bridge?.listing(kind, Number(searchParams.get("mailbox") ?? 0), which ?? "open");
  };

  /** Hide rows and move on to the next conversation. */
  const leave = (...ids) => {
    const all = rows();
    const at = all.findIndex((row) => idOf(row) === selected);
    const stays = (row) => !ids.includes(idOf(row));
    const next = at < 0 ? null : (all.slice(at + 1).find(stays) ?? all.slice(0, at).findLast(stays) ?? null);
    for (const id of ids) gone.add(id);
    if (!ids.includes(selected)) return draw();
    if (next && !onPhone()) select(idOf(next));
    else close();
  };

  const leaves = (status) => {
    const state = desk()?.dataset ?? {};
    if (["search", "mentions", "reminders", "tag", "shared"].includes(state.kind) || state.shows === "several") return false;
    return !(status === "open" ? ["open", "unassigned", "mine"] : [status]).includes(state.shows) || state.kind === "mine";
  };

  const setStatus = (id, status) => {
    // First: the bridge's events wait for each other, and the others shall see this before we have moved on.
    tandem.bridge?.status(id, status);
    if (leaves(status === "block" ? "spam" : status)) leave(id);
  };

  const putBack = (...ids) => {
    if (ids.filter((id) => gone.delete(id)).length) draw();
  };

  /** A conversation that cannot be opened (any more). */
  const lost = (id) => {
    gone.delete(id);
    if (selected === id) close();
    else draw();
  };

  // ---- the list keeps still under the eyes and the pointer

  let seen = new Map();
  let inside = false;
  const look = () => {
    const box = scroller();
    if (!box) return;
    const top = box.getBoundingClientRect().top;
    seen = new Map();
    for (const row of rows()) {
      const at = row.getBoundingClientRect();
      if (at.bottom > top && at.top < top + box.clientHeight) seen.set(idOf(row), at.top);
    }
  };
  const hold = () => {
    const box = scroller();
    if (!box) return;
    if (box.scrollTop > 0 || inside) {
      for (const [id, top] of seen) {
        const row = rowOf(id);
        if (!row || gone.has(id)) continue;
        const moved = row.getBoundingClientRect().top - top;
        if (Math.abs(moved) > 0.5) box.scrollTop += moved;
        break;
      }
    }
    look();
    mark();
  };

  const ROW = 84;
  let told = -1;
  let waiting = 0;
  const scrolled = () => {
    look();
    const box = scroller();
    if (!box || waiting) return;
    waiting = setTimeout(() => {
      waiting = 0;
      const first = Math.floor(box.scrollTop / ROW);
      const nearEnd = box.scrollTop + box.clientHeight > box.scrollHeight - 12 * ROW;
      if (first === told && !nearEnd) return;
      told = first;
      tandem.bridge?.window(first);
    }, 80);
  };

  let watched = null;
  let panes = null;
  const watchPanes = () => {
    const node = document.querySelector(".panes");
    if (!node || node === panes) return;
    panes = node;
    new MutationObserver(settle).observe(node, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["data-pane"],
    });
  };
  const watchList = () => {
    watchPanes();
    const box = scroller();
    if (!box || box === watched) return;
    watched = box;
    box.addEventListener("scroll", scrolled, { passive: true });
    box.addEventListener("pointerenter", () => ((inside = true), look()));
    box.addEventListener("pointerleave", () => (inside = false));
    new MutationObserver(hold).observe(box, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-box"] });
    look();
  };

  /** A fresh list was opened. */
  const listed = () => {
    watchList();
    const box = scroller();
    if (box) box.scrollTop = 0;
    seen = new Map();
    told = -1;
    gone.clear();
    tandem.unmark?.();
    draw();
    address(false);
    look();
  };

  // ---- menus: one panel each, opened under whatever asked for it

  let open = null;
  let opener = null;
  let seenAssigned = ""; // when the menu was opened: what one sees is what one chooses by
  let about = { ids: [], many: false };

  /** The conversations that a control acts on: its row's, its pane's; from a menu those that it was opened for; else
      those that are ticked, or the one that is shown. */
  const targets = (node) => {
    const menu = node?.closest("[data-panel]");
    if (menu && menu === open) return about;
    const own = node?.closest("[data-box]")?.dataset.box ?? node?.closest("[data-pane]")?.dataset.pane;
    if (own) return { ids: [Number(own)], many: false };
    const marked = tandem.marked();
    return marked.length ? { ids: marked, many: true } : { ids: selected ? [selected] : [], many: false };
  };
  /** What is known of a conversation: its pane says it, or its row. */
  const facts = (id) =>
    (document.querySelector(`.pane[data-pane="${id}"]`) ?? document.querySelector(`[data-box="${id}"]`))?.dataset ?? {};
  /** Show a star or none at once; the server's answer comes to the same, or takes it back. */
  const showStar = (id, on) => {
    for (const place of document.querySelectorAll(`.pane[data-pane="${id}"],[data-box="${id}"]`)) {
      place.dataset.starred = on ? "yes" : "";
      place.querySelector(".star")?.setAttribute("aria-pressed", String(on));
    }
  };
  const setStar = (id) => {
    const on = facts(id).starred !== "yes";
    showStar(id, on);
    tandem.bridge?.star(id, on);
  };
  /** Shown at once; `seen` is whose it was before the person's eyes. */
  const assign = (id, user, team, seen) => {
    tandem.bridge?.assign(id, user, team, seen);
    tandem.showAssigned([id], user, team);
  };
  const closeMenu = (refocus) => {
    if (!open) return;
    delete open.dataset.open;
    opener?.setAttribute("aria-expanded", "false");
    if (refocus) opener?.focus();
    // Where the opener cannot take it (it stands in a closed menu itself), the next key is the desk's all the same.
    if (open.contains(document.activeElement)) document.activeElement.blur();
    open = opener = null;
  };
  /** What a menu offers depends on who sees the conversation, and on whether I can open its mailbox. */
  const sift = (panel, pane) => {
    const { mailbox = "", visibility = "", guest = "", shared = "" } = pane?.dataset ?? {};
    for (const item of panel.querySelectorAll("[data-if-visibility]")) item.hidden = item.dataset.ifVisibility !== visibility;
    for (const item of panel.querySelectorAll("[data-unless-visibility]")) item.hidden = item.dataset.unlessVisibility === visibility;
    for (const item of panel.querySelectorAll("[data-act=share]")) {
      const ticked = shared.split(" ").includes(item.dataset.user === "0" ? `t${item.dataset.team}` : `u${item.dataset.user}`);
      item.setAttribute("aria-checked", String(ticked));
      item.hidden = !ticked && item.dataset.besidesMailboxes.split(" ").includes(mailbox);
    }
    for (const item of panel.querySelectorAll("[data-if-merged]")) item.hidden = !pane?.dataset.merged;
    // A class of its own: what else hides an entry is not touched by it.
    panel.classList.toggle("for-guest", Boolean(guest));
  };
  /** The control in sight that opens a menu: what opens from a menu stands where that stood. */
  const openerOf = (name) =>
    [...document.querySelectorAll(`[data-menu="${name}"]`)].find(
      (each) => each.getClientRects().length && each.checkVisibility({ visibilityProperty: true }));
  /** Of a menu show what can be done with the conversations that it is about. */
  const fit = (panel) => {
    const known = about.ids.map(facts);
    const all = (name, value) => known.length > 0 && known.every((each) => each[name] === value);
    for (const item of panel.querySelectorAll("[data-mailboxes]"))
      item.hidden = !known.every((each) => !each.mailbox || item.dataset.mailboxes.split(" ").includes(each.mailbox));
    for (const item of panel.querySelectorAll("[data-if-status],[data-unless-status]"))
      item.hidden =
        ("ifStatus" in item.dataset && !all("status", item.dataset.ifStatus)) ||
        ("unlessStatus" in item.dataset && all("status", item.dataset.unlessStatus));
    seenAssigned = known[0]?.assigned ?? "";
    for (const item of panel.querySelectorAll("[data-tag]"))
      item.setAttribute(
        "aria-checked",
        String(known.length > 0 && known.every((each) => each.tags?.split(" ").includes(item.dataset.tag))),
      );
    const followed =
      about.ids.length === 1 &&
      document.querySelector(`.pane[data-pane="${about.ids[0]}"] .follow`)?.getAttribute("aria-pressed");
    for (const item of panel.querySelectorAll("[data-following]")) item.hidden = item.dataset.following !== followed;
    for (const item of panel.querySelectorAll("[data-act=contact]"))
      item.hidden = !document.querySelector(`.pane[data-pane="${about.ids[0]}"] .contact-link`);
    for (const item of panel.querySelectorAll("[data-visibility]"))
      item.hidden = all("visibility", item.dataset.visibility);
    const unstar = panel.querySelector("[data-starred-words]");
    if (unstar) unstar.textContent = all("starred", "yes") ? "Take the star away" : "Star";
    sift(panel, document.querySelector(`.pane[data-pane="${about.ids[0] ?? selected}"]`));
  };
  /** The same of the closed menus, for the palette; answers which conversations a command would be about. */
  const fitMenus = () => {
    about = targets(null);
    for (const panel of document.querySelectorAll('[data-panel="more"],[data-panel="many"],[data-panel="assign"]')) fit(panel);
    return about.ids;
  };
  const openMenu = (name, from) => {
    const panel = document.querySelector(`[data-panel="${name}"]`);
    if (!panel) return;
    const same = open === panel;
    const inMenu = from?.closest("[data-panel]")?.dataset.panel;
    closeMenu();
    if (same) return;
    about = targets(from);
    fit(panel);
    panel.dispatchEvent(new CustomEvent("tandem:menu", { bubbles: true, detail: { from } }));
    panel.dataset.open = "yes";
    open = panel;
    opener = from;
    from?.setAttribute("aria-expanded", "true");
    if (from && !onPhone()) {
      const at = (inMenu ? openerOf(inMenu) ?? from : from).getBoundingClientRect();
      const width = panel.offsetWidth;
      const height = panel.offsetHeight;
      const below = at.bottom + 6 + height < innerHeight;
      panel.style.left = `${Math.max(8, Math.min(panel.dataset.align === "start" ? at.left : at.right - width, innerWidth - width - 8))}px`;
      panel.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - height - 6)}px`;
    }
    const field = panel.querySelector("[data-filter]");
    if (field) {
      field.value = "";
      filter(panel, "");
      field.focus();
    } else items(panel)[0]?.focus({ preventScroll: true });
  };
  const items = (panel) =>
    [...panel.querySelectorAll("[role=menuitem],[role=menuitemcheckbox],[role=option],a,button")].filter((el) => el.offsetParent && !el.hidden);
  const filter = (panel, typed) => {
    const words = typed.toLowerCase();
    const said = [...panel.querySelectorAll("[data-words]")];
    for (const item of said) item.dataset.away = item.dataset.words.toLowerCase().includes(words) ? "" : "yes";
    const maker = panel.querySelector("[data-act=tag-new]");
    if (!maker) return;
    const name = typed.trim();
    maker.hidden = !name || said.some((item) => item.dataset.words.toLowerCase() === name.toLowerCase());
    maker.querySelector("[data-typed]").textContent = name;
  };
  const moveIn = (panel, by) => {
    const all = items(panel);
    const at = all.indexOf(document.activeElement);
    all[(at + by + all.length) % all.length]?.focus();
  };

  // ---- comments that come while the conversation is open are read once the person stirs in it

  let noticed = 0;
  const notice = (event) => {
    const pane = event.target instanceof Element && event.target.closest(".pane[data-comments=new]");
    if (!pane || Number(pane.dataset.pane) !== selected || Date.now() - noticed < 2000) return;
    noticed = Date.now();
    tandem.bridge?.select(selected);
  };
  for (const kind of ["pointermove", "keydown", "wheel"]) document.addEventListener(kind, notice, { passive: true, capture: true });

  // ---- what is clicked

  // In the capture phase, before the links of the router hear of it.
  document.addEventListener("click", (event) => {
    const node = event.target instanceof Element ? event.target : null;
    if (!node) return;
    const asker = node.closest(onPhone() ? "[data-menu],[data-menu-phone]" : "[data-menu],[data-menu-desk]");
    if (asker) {
      event.preventDefault();
      return openMenu(asker.dataset.menu ?? (onPhone() ? asker.dataset.menuPhone : asker.dataset.menuDesk), asker);
    }
    for (const asked of document.querySelectorAll("details.sure[open]")) if (!asked.contains(node)) asked.open = false;
    const chosen = node.closest(".emoji")?.closest("details");
    if (chosen) chosen.open = false;
    const { ids, many } = targets(node);
    if (open && (!open.contains(node) || node.closest("[role=menuitem],[role=menuitemcheckbox],a,[data-close]"))) closeMenu();

    const plain = !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0;
    const row = node.closest(".row[data-conversation-id]");
    if (row && plain) {
      event.preventDefault();
      return select(idOf(row), { follow: false });
    }
    const list = node.closest("a[data-list]");
    if (list && plain && desk()) {
      event.preventDefault();
      close();
      for (const each of document.querySelectorAll(".rail [data-list].on")) each.classList.remove("on");
      tandem.bridge?.listing(list.dataset.list, Number(list.dataset.mailbox ?? 0), list.dataset.view ?? "open");
      return;
    }
    const inner = node.closest("a[data-conversation]");
    if (inner && plain && desk()) {
      event.preventDefault();
      return select(Number(inner.dataset.conversation), { at: inner.dataset.spot ?? "" });
    }
    const act = node.closest("[data-act]");
    if (!act) return;
    if (many && tandem.actOnMany(act, ids)) return;
    const [id] = ids;
    switch (act.dataset.act) {
      case "back":
        return close();
      case "done":
      case "trash":
      case "spam":
      case "block":
      case "open":
        return setStatus(id, act.dataset.act);
      case "forward":
        return selected && tandem.bridge?.reply(selected, "forward", 0);
      case "unread":
        // That one closes what is unread again; the others are only marked.
        return id === selected ? tandem.bridge?.unread(id) : tandem.bridge?.many([id], { type: "read", read: false });
      case "read":
        return tandem.bridge?.many([id], { type: "read", read: true });
      case "share":
        return tandem.bridge?.share(
          id, Number(act.dataset.user), Number(act.dataset.team), act.getAttribute("aria-checked") !== "true");
      case "merge":
        return tandem.merge([id, Number(act.dataset.other)]);
      case "move":
        return tandem.move(ids, Number(act.dataset.to));
      case "unmerge":
        return tandem.takeMergeBack(id);
      case "tag":
        return tandem.bridge?.tag(id, Number(act.dataset.tag), act.getAttribute("aria-checked") !== "true");
      case "star":
        return id && setStar(id);
      case "tag-new":
        return tandem.bridge?.newTag(id, act.querySelector("[data-typed]").textContent);
      case "contact":
        return document.querySelector(`.pane[data-pane="${id}"] .contact-link`)?.click();
      case "follow":
        return document.querySelector(`.pane[data-pane="${id}"] .follow`)?.click();
      case "visibility":
        return tandem.bridge?.visibility(id, act.dataset.visibility);
      case "assign":
        return assign(id, Number(act.dataset.user ?? 0), Number(act.dataset.team ?? 0), seenAssigned);
      case "look":
        return lookAt(Number(act.dataset.look));
      case "assign-me":
        return id && assign(id, Number(desk()?.dataset.me), 0, (act.closest("[data-panel]") ? seenAssigned : facts(id).assigned) ?? "");
      case "choosing":
        return desk()?.toggleAttribute("data-choosing");
      case "unmark":
        return tandem.unmark();
      case "delete":
        return id && tandem.askToDelete([id]);
      case "empty-trash":
        return tandem.askToDelete([]);
      case "delete-now":
        return tandem.deleteNow();
      case "sign-out":
        return tandem.signOut();
      case "palette":
        return tandem.palette?.open();
      case "shortcuts":
        return document.querySelector("dialog.shortcuts")?.showModal();
      case "close-dialog":
        return act.closest("dialog")?.close();
      case "copy":
        return navigator.clipboard?.writeText(act.dataset.copy).then(() => (act.dataset.copied = "yes"));
      case "show-side":
        return desk()?.toggleAttribute("data-side");
    }
  }, true);
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-filter]")) filter(event.target.closest("[data-panel]"), event.target.value);
  });
  window.addEventListener("popstate", () => {
    const id = Number(new URLSearchParams(location.search).get("conversation") ?? 0);
    if (desk() && id !== selected) {
      selected = id;
      draw();
      if (id) tandem.bridge?.select(id);
    }
  });
  /** Those for admins appear once it is known who this is. */
  const centreSettings = (tries = 120) => {
    const here = document.querySelector(".settings-nav [aria-current=page]");
    if (here) here.scrollIntoView({ block: "nearest", inline: "center" });
    else if (tries && document.querySelector(".settings-nav")) requestAnimationFrame(() => centreSettings(tries - 1));
  };
  window.addEventListener("tandem:mounted", () => {
    if (!desk()) {
      selected = 0;
      gone.clear();
    }
    watched = null;
    watchList();
    draw();
    // On a phone the settings' pages stand in one line that scrolls.
    centreSettings();
  });

  /** Put the cursor into the composer of the shown conversation, as soon as it stands there. */
  const focusComposer = (tries = 40) => {
    const field =
      document.querySelector(".compose-window [data-composer] input, .compose-window [data-composer] textarea") ??
      document.querySelector(`.pane[data-pane="${selected}"] [data-composer] .composer-text`);
    if (field) {
      field.focus({ preventScroll: true });
      field.closest(".pane")?.querySelector(".thread")?.scrollTo({ top: 1e9 });
    } else if (tries) requestAnimationFrame(() => focusComposer(tries - 1));
  };

  const shownPane = () => document.querySelector(`.pane[data-pane="${selected}"]`);

  /** Bring a message of the shown conversation into sight, unfolded. */
  const lookAt = (message) => {
    const find = () => shownPane()?.querySelector(`[data-message="${message}"]`);
    if (find()?.matches(".fold")) find().click();
    const light = () => {
      const node = find();
      if (!node) return;
      node.scrollIntoView({ block: "nearest" });
      node.classList.add("lit");
      setTimeout(() => node.classList.remove("lit"), 1600);
    };
    light();
    setTimeout(light, 300); // it may have been folded
  };

  /** Unfold a colleague's draft. */
  const readDraft = (id) => {
    const draft = shownPane()?.querySelector(`details[data-draft="${id}"]`);
    if (!draft) return;
    draft.open = true;
    draft.scrollIntoView({ block: "nearest" });
    draft.querySelector("summary").focus({ preventScroll: true });
  };

  /** Put the focus on a question that stands where the composer would be, as soon as it does. */
  const focusQuestion = (tries = 40) => {
    const button = shownPane()?.querySelector(".ask .btn");
    if (button) button.focus();
    else if (tries) requestAnimationFrame(() => focusQuestion(tries - 1));
  };

  Object.assign(tandem, {
    lookAt, readDraft, focusQuestion,
    select, close, step, leave, leaves, setStatus, putBack, showStar, settled: putBack, gone: lost, listed, focusComposer,
    openMenu, closeMenu, moveIn, facts, rows, go, fitMenus,
  });
  Object.defineProperties(tandem, {
    selected: { get: () => selected },
    shows: { get: () => (desk()?.dataset.kind === "mailbox" ? desk().dataset.shows : desk()?.dataset.kind) },
    menu: { get: () => open },
    about: { get: () => about },
  });
})();
