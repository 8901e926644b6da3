import { createElement as h, useEffect, useRef, useState } from "react";
import { get } from "../api.js";
import { icon } from "./icons.jsx";

// More ways to send: at a moment of the person's own clock (assets/js/reminders.js) or of the recipient's, or now with a
// reminder for the case that nobody answers; and to several people, one mail to all or one to each. `onChoose` gets
// { send_at, remind_at, said }, moments in UTC or empty; `onEach` hears the choice, which counts for every way to send.
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

/** How far a clock is from UTC at this moment, as in UTC+05:30. */
const offset = (minutes) => {
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
};

/** Where it is known from what the recipient's clock shows. */
const source = (clock, who) => {
  const day = clock.seen_at && new Intl.DateTimeFormat(window.tandem.person?.locale || undefined, { day: "numeric", month: "short" }).format(new Date(clock.seen_at));
  if (clock.source === "contact") return `${clock.time_zone}, as set at the contact.`;
  if (clock.source === "mail") return `Guessed: ${who} wrote on ${day} at ${offset(clock.offset)}.`;
  return `A weak guess, from the country of the address: ${clock.time_zone}.`;
};

/** What is known of the clock of whom the mail goes to; null while that is asked, or where nobody is named yet. */
function useClock(address, open) {
  const [clock, setClock] = useState(null);
  useEffect(() => {
    setClock(null);
    if (!open || !address) return;
    let here = true;
    get(`/addresses/clock?address=${encodeURIComponent(address)}`)
      .then((known) => here && setClock(known))
      .catch(() => {}); // without it the menu offers one's own time
    return () => (here = false);
  }, [address, open]);
  return clock;
}

export function Later({ onChoose, to, people, each, onEach }) {
  const [open, setOpen] = useState(false);
  const [wrong, setWrong] = useState("");
  const [theirs, setTheirs] = useState(false); // whether moments are those of the recipient's clock
  const box = useRef(null);
  const button = useRef(null);
  const picked = useRef(null);
  const first = to[0];
  const clock = useClock(first?.address, open);
  const there = clock?.time_zone || "";
  const who = (clock?.name || first?.name || first?.address || "").split(/[\s@]/)[0];
  const zone = theirs && there ? there : undefined;

  useEffect(() => {
    if (!open) return;
    // It opens upwards, and to the left as far as there is room.
    const place = button.current.getBoundingClientRect();
    box.current.style.maxHeight = `${Math.max(200, place.top - 20)}px`;
    box.current.style.right = `${Math.min(0, place.right - box.current.offsetWidth - 12)}px`;
    box.current.querySelector("button")?.focus();
    const outside = (event) => box.current?.parentElement.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  /** A moment in words: what the clock that was chosen shows, and what the other one does then. */
  const both = (at) => {
    const here = window.tandem.said(at);
    if (!there) return here;
    const far = window.tandem.said(at, there);
    return zone ? `${far} there, ${here} here` : `${here}, ${far} there`;
  };
  const choose = (plan) => {
    setOpen(false);
    onChoose({ send_at: "", remind_at: "", said: "", ...plan });
  };
  const schedule = (at) => choose({ send_at: at.toISOString(), said: both(at) });
  const pick = () => {
    const at = window.tandem.typedMoment(picked.current.value, zone);
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
    if (!step || event.target === picked.current || event.target.type === "radio") return;
    event.preventDefault();
    const items = [...box.current.querySelectorAll(".menu-item")];
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  };
  const item = (label, said, press) => h("button", { key: label, type: "button", className: "menu-item", onClick: press }, label, h("small", null, said));
  const radio = (name, label, on, press, note) =>
    h("label", { className: "either" }, h("input", { type: "radio", name, checked: on, onChange: press }), label, note && h("small", null, note));

  const offered = open ? window.tandem.moments(zone) : {};
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
        people > 1 &&
          h(
            "fieldset",
            { className: "eithers" },
            h("legend", { className: "panel-title" }, `To ${people} people`),
            radio("one-each", "One mail to all", !each, () => onEach(false)),
            radio("one-each", "One mail to each", each, () => onEach(true), "nobody sees the others"),
          ),
        h("div", { className: "panel-title" }, "Send later"),
        there &&
          h(
            "fieldset",
            { className: "eithers", "aria-label": "Whose time" },
            radio("whose-time", "My time", !zone, () => setTheirs(false), window.tandem.said(new Date())),
            radio("whose-time", `Time of ${who}`, Boolean(zone), () => setTheirs(true), window.tandem.said(new Date(), there)),
          ),
        clock &&
          h(
            "p",
            { className: "clock-note third" },
            there ? source(clock, who) : `The time zone of ${who} is not known.`,
            clock.contact_id && clock.source !== "contact" && h("a", { href: `/contacts/?contact=${clock.contact_id}`, target: "_blank", rel: "noopener" }, "Set it at the contact"),
          ),
        LATER.filter(([name]) => offered[name]).map(([name, label]) => item(label, both(offered[name]), () => schedule(offered[name]))),
        h(
          "div",
          { className: "pick-line" },
          h("input", {
            ref: picked,
            type: "datetime-local",
            className: "input",
            "aria-label": zone ? `Day and time to send, of the clock of ${who}` : "Day and time to send",
            onKeyDown: (event) => event.key === "Enter" && (event.preventDefault(), event.stopPropagation(), pick()),
          }),
          h("button", { type: "button", className: "btn", onClick: pick }, "Schedule"),
        ),
        wrong && h("p", { className: "refusal", role: "alert" }, wrong),
        h("div", { className: "panel-title" }, "Send now, remind me if nobody answers"),
        WAITS.map(([label, days]) => {
          const at = morning(days);
          return item(label, window.tandem.said(at), () => choose({ remind_at: at.toISOString(), said: window.tandem.said(at) }));
        }),
      ),
  );
}
