// The reminder menu: which moments it offers, in the person's own time, and what was chosen.
(() => {
  const tandem = (window.tandem ??= {});
  const panel = () => document.querySelector('[data-panel="remind"]');
  /** What is set already, for all of those that the menu is about. */
  const set = () => {
    const [first, ...others] = tandem.about.ids.map((id) => tandem.facts(id).reminder ?? "");
    return others.every((each) => each === first) ? (first ?? "") : "";
  };
  const zone = () => tandem.person?.timeZone || undefined;

  /** The clock on the person's wall, or on one elsewhere: [year, month (0 to 11), day, hour, minute]. */
  const wall = (date, where = zone()) => {
    const parts = new Intl.DateTimeFormat("en-CA", {
      timeZone: where, hourCycle: "h23",
      year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
    }).formatToParts(date);
    const of = (name) => Number(parts.find((part) => part.type === name).value);
    return [of("year"), of("month") - 1, of("day"), of("hour"), of("minute")];
  };

  /** The moment at which a clock shows this. Twice, for the hour may change in between. */
  const momentAt = (where, ...shown) => {
    const wanted = Date.UTC(...shown);
    let found = wanted;
    for (let turn = 0; turn < 2; turn += 1) found += wanted - Date.UTC(...wall(new Date(found), where));
    return new Date(found);
  };
  const moment = (...shown) => momentAt(zone(), ...shown);

  /** What each entry of the menu means now, of the person's clock or of one elsewhere; null: it does not fit today. */
  const choices = (where = zone()) => {
    const moment = (...shown) => momentAt(where, ...shown);
    const [year, month, day, hour] = wall(new Date(), where);
    const weekday = new Date(Date.UTC(year, month, day)).getUTCDay();
    const later = hour < 16 ? 17 : hour + 2;
    return {
      today: later < 22 ? moment(year, month, day, later, 0) : null,
      tomorrow: moment(year, month, day + 1, 9, 0),
      monday: moment(year, month, day + ((8 - weekday) % 7 || 7), 9, 0),
      silent: moment(year, month, day + 3, 9, 0),
    };
  };

  const said = (date, where = zone()) =>
    new Intl.DateTimeFormat(tandem.person?.locale || undefined, {
      timeZone: where, weekday: "short", hour: "2-digit", minute: "2-digit",
    }).format(date);

  /** What somebody typed into a field for day and time; null: nothing that is one. */
  const typedMoment = (value, where = zone()) => {
    const typed = value.match(/\d+/g)?.map(Number);
    return typed && typed.length >= 5 ? momentAt(where, typed[0], typed[1] - 1, ...typed.slice(2, 5)) : null;
  };

  Object.assign(tandem, { wall, moment, momentAt, moments: choices, said, typedMoment });

  const pad = (number) => String(number).padStart(2, "0");

  document.addEventListener("tandem:menu", (event) => {
    const menu = panel();
    if (event.target !== menu) return;
    const offered = choices();
    for (const item of menu.querySelectorAll("[data-when]")) {
      const name = item.dataset.when;
      if (name in offered) {
        item.hidden = offered[name] === null;
        if (offered[name]) item.querySelector("small").textContent = said(offered[name]);
      }
      if (name === "clear") item.hidden = !tandem.about.ids.some((id) => tandem.facts(id).reminder);
    }
    const [year, month, day] = wall(offered.tomorrow);
    const field = menu.querySelector("[data-pick]");
    field.value = `${year}-${pad(month + 1)}-${pad(day)}T09:00`;
    menu.querySelector("[data-snooze]").checked = set() === "snooze";
    menu.querySelector("[data-refusal]").textContent = "";
  });

  const choose = (name) => {
    const menu = panel();
    const { ids, many } = tandem.about;
    const [id] = ids;
    if (!id) return;
    if (name === "clear")
      return many ? tandem.changeMany(ids, { type: "clear_reminder" }) : tandem.bridge?.remind(id, "", "", false);
    let at = choices()[name];
    if (name === "pick") {
      at = typedMoment(menu.querySelector("[data-pick]").value);
      if (!at || at <= new Date()) {
        menu.querySelector("[data-refusal]").textContent = at ? "That moment is past." : "Choose a day and a time.";
        return;
      }
      tandem.closeMenu();
    }
    const kind = menu.querySelector("[data-snooze]").checked ? "snooze" : "reminder";
    // First: the bridge's events wait for each other, and selecting the next one must not keep this one back.
    if (many) tandem.changeMany(ids, { type: "reminder", at: at.toISOString(), kind, if_silent: name === "silent" });
    else tandem.bridge?.remind(id, at.toISOString(), kind, name === "silent");
    if (kind === "snooze" && ["open", "unassigned", "mine"].includes(tandem.shows)) tandem.leave(...ids);
  };

  document.addEventListener("click", (event) => {
    const item = event.target instanceof Element && event.target.closest("[data-when]");
    if (item) choose(item.dataset.when);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("[data-pick]")) return;
    event.preventDefault();
    choose("pick");
  });
})();
