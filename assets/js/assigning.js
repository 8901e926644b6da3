// Whose a conversation is shows in the next frame: what was chosen is painted by a style sheet until the server's answer
// stands in the page (`data-assigned`), or until it was refused.
(() => {
  const tandem = (window.tandem ??= {});
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const LONGEST_MS = 15_000;
  const chosen = new Map(); // by conversation: its rules

  const draw = () => sheet.replaceSync([...chosen.values()].join("\n"));

  /** How a person or a team looks in the menu: initials, colour and name. Nobody has none. */
  const faceOf = (user, team) => {
    const item = document.querySelector(`[data-panel=assign] [data-act=assign][data-user="${user}"][data-team="${team}"]`);
    const face = item?.querySelector(".mini");
    if (!face) return null;
    return { initials: face.textContent, colour: getComputedStyle(face).backgroundColor, name: item.dataset.words.split(" ")[0] };
  };

  const text = (words) => JSON.stringify(words).replaceAll("<", "\\3c ");
  const rulesFor = (id, user, team) => {
    const unlessKnown = `:not([data-assigned="${user}:${team}"])`;
    const row = `[data-box="${id}"]${unlessKnown} .row .meta`;
    const head = `.pane[data-pane="${id}"]${unlessKnown} .btn.assign`;
    const hidden = `${row} > .mini, ${head} > :not(:last-child) { display: none }`;
    const face = faceOf(user, team);
    if (!face) return user || team ? "" : `${hidden} ${head}::before { content: ${text("Assign")} }`;
    const mini = `content: ${text(face.initials)}; background: ${face.colour};`;
    return `${hidden} ${row}::after, ${head}::before { ${mini} display: grid; place-items: center; flex: none; width: 18px; height: 18px;
      border-radius: 50%; color: #fff; font-size: 9px; font-weight: 600; line-height: 1 }
      ${head}::after { content: ${text(face.name)}; order: 1 } ${head} > :last-child { order: 2 }`;
  };

  tandem.showAssigned = (ids, user, team) => {
    for (const id of ids) {
      const rules = rulesFor(id, user, team);
      chosen.set(id, rules);
      setTimeout(() => chosen.get(id) === rules && tandem.putAssignedBack(id), LONGEST_MS);
    }
    draw();
  };
  tandem.putAssignedBack = (...ids) => {
    for (const id of ids) chosen.delete(id);
    draw();
  };
})();
