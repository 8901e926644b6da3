import { createElement as h, useEffect, useRef, useState } from "react";
import { icon } from "./icons.jsx";

// More ways to send: at a moment of the person's own clock (assets/js/reminders.js), or now with a reminder for the
// case that nobody answers; or to several people, one mail each. `onChoose` gets { send_at, remind_at, said, one_each },
// moments in UTC or empty.
const LATER = [
  ["today", "Later today"],
  ["tomorrow", "Tomorrow"],
  ["monday", "Next Monday"],
];
const WAITS = [
  ["In two days", 2],
  ["In three days", 3],
  ["In a week", 7],
];

/** Nine in the morning of the person's clock, so many days from now. */
const morning = (days) => {
  const [year, month, day] = window.tandem.wall(new Date());
  return window.tandem.moment(year, month, day + days, 9, 0);
};

export function Later({ onChoose, people }) {
  const [open, setOpen] = useState(false);
  const [wrong, setWrong] = useState("");
  const box = useRef(null);
  const button = useRef(null);
  const picked = useRef(null);

  useEffect(() => {
    if (!open) return;
    box.current.querySelector("button")?.focus();
    const outside = (event) => box.current?.parentElement.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const choose = (plan) => {
    setOpen(false);
    onChoose({ send_at: "", remind_at: "", said: "", one_each: "", ...plan });
  };
  const schedule = (at) => choose({ send_at: at.toISOString(), said: window.tandem.said(at) });
  const pick = () => {
    const at = window.tandem.typedMoment(picked.current.value);
    if (!at || at <= new Date()) return setWrong(at ? "That moment is past." : "Choose a day and a time.");
    schedule(at);
  };
  const walk = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      setOpen(false);
      button.current.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target === picked.current) return;
    event.preventDefault();
    const items = [...box.current.querySelectorAll(".menu-item")];
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  };
  const item = (label, at, press) =>
    h(
      "button",
      { key: label, type: "button", className: "menu-item", onClick: press },
      label,
      h("small", null, window.tandem.said(at)),
    );

  const offered = open ? window.tandem.moments() : {};
  return h(
    "span",
    { className: "send-later" },
    h(
      "button",
      {
        ref: button,
        type: "button",
        className: "btn sq",
        "aria-label": "More ways to send",
        title: "Send later, or be reminded",
        "aria-haspopup": "dialog",
        "aria-expanded": open,
        onClick: () => (setWrong(""), setOpen(!open)),
      },
      icon("clock", 15),
    ),
    open &&
      h(
        "div",
        { ref: box, className: "float later-box", role: "dialog", "aria-label": "More ways to send", onKeyDown: walk },
        h("div", { className: "panel-title" }, "Send later"),
        LATER.filter(([name]) => offered[name]).map(([name, label]) => item(label, offered[name], () => schedule(offered[name]))),
        h(
          "div",
          { className: "pick-line" },
          h("input", {
            ref: picked,
            type: "datetime-local",
            className: "input",
            "aria-label": "Day and time to send",
            onKeyDown: (event) => event.key === "Enter" && (event.preventDefault(), event.stopPropagation(), pick()),
          }),
          h("button", { type: "button", className: "btn", onClick: pick }, "Schedule"),
        ),
        wrong && h("p", { className: "refusal", role: "alert" }, wrong),
        people > 1 && h("div", { className: "panel-title" }, `To ${people} people`),
        people > 1 &&
          h(
            "button",
            { type: "button", className: "menu-item", onClick: () => choose({ one_each: "yes" }) },
            "One mail to each",
            h("small", null, "nobody sees the others"),
          ),
        h("div", { className: "panel-title" }, "Send now, remind me if nobody answers"),
        WAITS.map(([label, days]) => {
          const at = morning(days);
          return item(label, at, () => choose({ remind_at: at.toISOString(), said: window.tandem.said(at) }));
        }),
      ),
  );
}
