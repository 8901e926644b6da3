// Away until a day: what is meant by it in the person's own time, as of the reminders (assets/js/reminders.js).
(() => {
  const tandem = (window.tandem ??= {});

  /** The first moment of the day on which they are back; null: no day was chosen. */
  const back = (when, typed) => {
    const [year, month, day] = tandem.wall(new Date());
    const weekday = new Date(Date.UTC(year, month, day)).getUTCDay();
    if (when === "tomorrow") return tandem.moment(year, month, day + 1, 0, 0);
    if (when === "monday") return tandem.moment(year, month, day + ((8 - weekday) % 7 || 7), 0, 0);
    const chosen = typed?.match(/\d+/g)?.map(Number);
    return chosen?.length >= 3 ? tandem.moment(chosen[0], chosen[1] - 1, chosen[2], 0, 0) : null;
  };

  document.addEventListener("click", (event) => {
    const item = event.target instanceof Element && event.target.closest("[data-absent]");
    if (!item) return;
    if (item.dataset.absent === "back") return tandem.bridge?.away("");
    const field = document.querySelector("[data-absent-day]");
    const at = back(item.dataset.absent, field?.value);
    if (at) tandem.bridge?.away(at.toISOString());
    else field?.focus();
  });
})();
