import { createElement as h, useEffect, useRef, useState } from "react";
import { send } from "../api.js";
import { icon } from "./icons.jsx";
import { fillInLink, findLinks } from "./links.jsx";

// A meeting that the mail invites to. It is the draft's, on the server: whoever writes in it sees the same card. Day and
// time are those of the clocks in the zone that is named, for the writer's own may be elsewhere.
const LENGTHS = [15, 30, 45, 60, 90, 120, 180, 240, 480];

export const lengthWords = (minutes) => {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours && `${hours} ${hours === 1 ? "hour" : "hours"}`, rest && `${rest} minutes`].filter(Boolean).join(" ");
};

/** `Thu, 3 December 2026, 10:00, 45 minutes (Europe/Lisbon)`. */
export const meetingWords = ({ day, start, minutes, zone }) => {
  const date = new Intl.DateTimeFormat(window.tandem?.person?.locale || undefined, {
    ...{ timeZone: "UTC", weekday: "short", day: "numeric", month: "long", year: "numeric" },
  }).format(new Date(`${day}T00:00:00Z`));
  return `${date}, ${start.slice(0, 5)}, ${lengthWords(minutes)} (${zone})`;
};

const fresh = (url) => {
  const [year, month, day] = window.tandem.wall(new Date());
  const tomorrow = new Date(Date.UTC(year, month, day + 1)).toISOString().slice(0, 10);
  const zone = window.tandem.person?.timeZone || Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  return { title: "", day: tomorrow, start: "10:00", minutes: 30, zone, place: "", url: url ?? "", notes: "" };
};

/** What stands in the draft, with ways to change it and to take it off. */
export function MeetingCard({ meeting, onEdit, onRemove }) {
  const off = meeting.method === "cancel";
  return h(
    "div",
    { className: off ? "meeting-chip off" : "meeting-chip", role: "group", "aria-label": off ? "Calls a meeting off" : "Invites to a meeting" },
    icon("calendar", 16),
    h(
      "span",
      { className: "line-text" },
      h("b", { className: "el" }, off ? `Calls off: ${meeting.title}` : meeting.title),
      h("small", null, [meetingWords(meeting), meeting.place, meeting.url].filter(Boolean).join(" · ")),
    ),
    !off && h("button", { type: "button", className: "btn", onClick: onEdit }, "Change"),
    h("button", { type: "button", className: "btn q sq", "aria-label": "Take the meeting off this mail", title: "Take the meeting off this mail", onClick: onRemove }, icon("close", 14)),
  );
}

/** Takes the meeting off a draft. Throws an Error whose message is what to say. */
export const removeMeeting = (draft) => send("DELETE", `/drafts/${draft.id}/meeting`);

/** `meeting`: what the draft invites to already, or nothing; `url`: where one is to meet. */
export function MeetingForm({ draft, to, meeting, url, onStored, onClose }) {
  const [given, setGiven] = useState(() => (meeting ? { ...meeting, start: meeting.start.slice(0, 5), ...(url && { url }) } : fresh(url)));
  const [rooms, setRooms] = useState([]);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const [zones, setZones] = useState([]); // all there are, once one is looked for
  const dialog = useRef(null);

  useEffect(() => {
    dialog.current.showModal();
    let wanted = true;
    findLinks("").then((all) => wanted && setRooms(all.filter((each) => each.kind === "conference")), () => {}); // rooms are a help, no need
    return () => (wanted = false);
  }, []);

  const put = (name) => (event) => (setFault(""), setGiven((all) => ({ ...all, [name]: event.target.value })));
  const takeRoom = async (event) => {
    const room = rooms.find((each) => String(each.id) === event.target.value);
    if (!room) return;
    try {
      const filled = await fillInLink(draft, room.id, to);
      if (filled.missing.length) return setFault(`${room.name} needs more: ${filled.missing.join(", ")}.`);
      setGiven((all) => ({ ...all, url: filled.url }));
    } catch (refused) {
      setFault(refused.message);
    }
  };
  const store = async (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (!given.day || !given.start) return setFault("Choose a day and a time.");
    setBusy(true);
    const { title, day, start, minutes, zone, place, url, notes } = given;
    try {
      await send("PUT", `/drafts/${draft.id}/meeting`, { title, day, start: `${start}:00`.slice(0, 8), minutes: Number(minutes), zone, place, url, notes });
      onStored();
    } catch (refused) {
      setFault(refused.message);
      setBusy(false);
    }
  };
  const keys = (event) => {
    event.stopPropagation(); // the composer's keys are not meant
    if (event.key === "Escape") (event.preventDefault(), onClose());
  };
  const field = (label, name, more = {}) =>
    h("label", { className: more.wide ? "wide" : "" }, h("span", null, label), h(more.type === "area" ? "textarea" : "input", { className: "input", value: given[name], onChange: put(name), ...(more.type === "area" ? { rows: 2 } : { type: more.type ?? "text" }), ...more.given }));
  const lengths = LENGTHS.includes(Number(given.minutes)) ? LENGTHS : [...LENGTHS, Number(given.minutes)].sort((a, b) => a - b);

  return h(
    "dialog",
    { ref: dialog, className: "picker meeting-form", "aria-label": "Invite to a meeting", onKeyDown: keys, onClose, onClick: (event) => event.target === dialog.current && onClose() },
    h(
      "form",
      { onSubmit: store },
      h("div", { className: "picker-head" }, icon("calendar", 16), h("b", { className: "grow" }, "Invite to a meeting"), h("button", { type: "button", className: "btn q sq", "aria-label": "Close", onClick: onClose }, icon("close", 15))),
      h("p", { className: "third" }, "Everybody in To and Cc is invited. Their answers come back to this conversation."),
      h(
        "div",
        { className: "meeting-fields" },
        field("Title", "title", { wide: true, given: { required: true, maxLength: 300, autoFocus: true } }),
        field("Day", "day", { type: "date", given: { required: true } }),
        field("Start", "start", { type: "time", given: { required: true } }),
        h("label", null, h("span", null, "Length"), h("select", { className: "input", value: given.minutes, onChange: put("minutes") }, lengths.map((each) => h("option", { key: each, value: each }, lengthWords(each))))),
        field("Time zone", "zone", { given: { list: "meeting-zones", required: true, onFocus: () => setZones(Intl.supportedValuesOf?.("timeZone") ?? []) } }),
        h("datalist", { id: "meeting-zones" }, zones.map((each) => h("option", { key: each, value: each }))),
        field("Place", "place", { wide: true, given: { maxLength: 300 } }),
        field("Link", "url", { wide: true, given: { placeholder: "https://", inputMode: "url" } }),
        rooms.length > 0 &&
          h("label", { className: "wide" }, h("span", null, "Saved room"), h("select", { className: "input", value: "", onChange: takeRoom }, h("option", { value: "" }, "Choose one"), rooms.map((each) => h("option", { key: each.id, value: each.id }, each.name)))),
        field("Notes", "notes", { wide: true, type: "area" }),
      ),
      fault && h("p", { className: "form-problem", role: "alert" }, fault),
      h("div", { className: "picker-foot" }, h("span", { className: "grow" }), h("button", { type: "button", className: "btn", onClick: onClose }, "Cancel"), h("button", { type: "submit", className: "btn pri", disabled: busy }, meeting ? "Save" : "Add to the mail")),
    ),
  );
}
