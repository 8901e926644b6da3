// Where the person of this tab is: which conversation they look at, and whether they write there. Told only when it
// changes, and only of a page that is seen and used; the tab's live socket says it again while it lasts.
(() => {
  const tandem = (window.tandem ??= {});
  const SETTLED_MS = 250; // stepping through a list tells of where one stops
  const IDLE_MS = 150_000;
  const WRITING_MS = 20_000; // after the last key, one reads again
  let told = "0 reading";
  let active = Date.now();
  let wrote = 0;
  let timer = 0;
  let shown = 0;

  const where = () => {
    const away = document.visibilityState !== "visible" || Date.now() - active > IDLE_MS;
    return document.querySelector("[data-desk]") && !away ? tandem.selected : 0;
  };
  const doing = (id) => {
    const pane = document.querySelector(`.pane[data-pane="${id}"]`);
    const lately = Date.now() - wrote < WRITING_MS;
    const composer = pane?.querySelector("[data-composer]");
    if (composer && (lately || composer.contains(document.activeElement))) return "replying";
    // An emptied comment box is no comment on its way.
    return lately && pane?.querySelector(".comment-box textarea")?.value.trim() ? "commenting" : "reading";
  };
  const tell = () => {
    timer = 0;
    const id = where();
    const now = `${id} ${id ? doing(id) : "reading"}`;
    if (now === told || !tandem.bridge) return;
    told = now;
    const [conversation, does] = now.split(" ");
    tandem.bridge.looking(Number(conversation), does);
  };
  const look = () => {
    timer ||= setTimeout(tell, SETTLED_MS);
  };

  const used = () => {
    const back = Date.now() - active > IDLE_MS;
    active = Date.now();
    if (back) look();
  };
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"])
    document.addEventListener(kind, used, { passive: true, capture: true });
  document.addEventListener("input", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-composer], .comment-box")) return;
    wrote = Date.now();
    look();
  }, true);
  for (const kind of ["focusin", "focusout", "visibilitychange"]) document.addEventListener(kind, look, true);
  window.addEventListener("tandem:shown", () => {
    if (shown !== tandem.selected) wrote = 0;
    shown = tandem.selected;
    look();
  });
  window.addEventListener("tandem:mounted", look);
  setInterval(look, 2_000); // a composer that closed, and somebody who has gone, say nothing themselves
})();
