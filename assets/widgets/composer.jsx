import { createElement as h, useCallback, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { Alone, hearBroughtUp } from "./compose/alone.js";
import { Attached, stillUp, useUploads } from "./compose/attached.jsx";
import { Body } from "./compose/body.jsx";
import { From } from "./compose/from.jsx";
import { icon } from "./compose/icons.jsx";
import { Later } from "./compose/later.jsx";
import { Library } from "./compose/library.jsx";
import { Links, fillInLink } from "./compose/links.jsx";
import { MeetingCard, MeetingForm, removeMeeting } from "./compose/meeting.jsx";
import { Picker } from "./compose/picker.jsx";
import { Recipients } from "./compose/recipients.jsx";
import { SignatureLine } from "./compose/signature.jsx";
import { fillIn } from "./compose/templates.js";
import { warningsOf } from "./compose/warnings.js";
import { standingWords, useOthers, WritersHere } from "./compose/with_others.jsx";

// Writing a mail. The composer owns its recipients, subject and text from the moment it opens (the key of the draft
// says when to begin again); the server hears of changes and never writes them back, so fast typing loses nothing.
const SAVE_AFTER = 400;
const SAVE_AT_LATEST = 900;
const NOW = { send_at: "", remind_at: "", said: "" };

export function Composer(props) {
  // A new key is a new composer: everything below begins again from the draft.
  return h(Writing, { ...props, key: props.draft.key });
}

function Writing({ draft, files, meetings, status, suggestions, ...on }) {
  const [to, setTo] = useState(draft.to);
  const [cc, setCc] = useState(draft.cc);
  const [bcc, setBcc] = useState(draft.bcc);
  const [showCc, setShowCc] = useState(draft.cc.length > 0 || draft.bcc.length > 0);
  const [subject, setSubject] = useState(draft.subject);
  const [missing, setMissing] = useState("");
  const [dirty, setDirty] = useState(false);
  const [quoted, setQuoted] = useState(draft.quoted);
  const [warned, setWarned] = useState(null); // { lines, thenDone }: what to look at before it is sent
  const [picking, setPicking] = useState(null); // the words that templates are looked for with, while that stands open
  const [linking, setLinking] = useState(false); // whether the saved links stand open; or the one that lacks something
  const [showFrom, setShowFrom] = useState(!draft.conversation_id);
  const [usually, setUsually] = useState(false); // whether this person sent one mail to each the last time
  const [each, setEach] = useState(null); // what was chosen for this mail: one to each of several people, or one to all
  const from = useRef(null); // as whom it is sent, where that is known
  const senderStored = useRef(null);
  const signatureStored = useRef(null);
  const signed = useRef(""); // what the signature says
  const [browsing, setBrowsing] = useState(false); // whether the files that are there already stand open
  const [arranging, setArranging] = useState(null); // { url }, while the form of a meeting stands open
  const body = useRef(null);
  const picker = useRef(null);
  const fields = useRef(null);
  const timer = useRef(0);
  const since = useRef(0);
  const done = useRef(false); // whether "Send and done" was pressed last
  const plan = useRef(NOW); // when it is to leave, and when its writer wants to be reminded
  const sent = useRef(0); // saves sent up so far; the server tells which of them it has stored
  const conversation = draft.conversation_id || null;
  const people = new Set([...to, ...cc, ...bcc].map((one) => one.address.toLowerCase())).size;
  const toEach = people > 1 && (each ?? usually);
  const chips = (files?.[draft.id] ?? []).filter((file) => !file.in_text);
  const told = status?.[draft.id] ?? {};
  const meeting = meetings?.[draft.id];

  const { uploads, add: upload } = useUploads(draft, () => on.onAttached?.(draft.id), (made) => {
    if (!body.current || body.current.waits()) return false;
    body.current.put(made);
    touch();
    return true;
  });

  const together = Boolean(draft.together || told.together);
  const alone = useRef(true); // what is typed is this composer's to save
  alone.current = !together;
  const said = () => {
    const people = (all) => all.map(({ name, address }) => ({ name: name ?? "", address }));
    const { serial, together, stored, ...said } = fields.current();
    const begins = { kind: draft.kind, ...(conversation ? { conversation_id: conversation } : { mailbox_id: draft.mailbox_id }) };
    return { begins, fields: { ...said, to: people(said.to), cc: people(said.cc), bcc: people(said.bcc) } };
  };
  const latest = useRef();
  latest.current = { said, on };
  const [keptHere, setKeptHere] = useState(false);
  const unanswered = useRef(null); // what the server does not have yet
  unanswered.current ??= new Alone(draft, () => latest.current.said(), setKeptHere);
  const { line, writers, standing } = useOthers(draft, together, () => (draft.together ? null : fields.current()), {
    fields: (given) => {
      for (const [name, set] of Object.entries({ to: setTo, cc: setCc, bcc: setBcc, subject: setSubject, quoted: setQuoted })) if (name in given) set(given[name]);
      if (given.cc?.length || given.bcc?.length) setShowCc(true);
    },
    trouble: setMissing,
    over: (reason) => reason === "no_access" && setMissing("You can write in this draft no longer."),
    said,
    apart: () => setMissing("What this browser had kept does not fit here any more. It is a draft of your own."),
  });

  fields.current = () => ({
    ...{ to, cc, bcc, subject, quoted, text: body.current.text(), html: body.current.html(), serial: sent.current },
    ...(line && { together: true, stored: line.allStored }),
  });

  const save = useCallback(() => {
    clearTimeout(timer.current);
    if (!since.current || !alone.current) return;
    since.current = 0;
    setDirty(false);
    sent.current += 1;
    unanswered.current.sends(sent.current, latest.current.said().fields);
    latest.current.on.onSave?.(draft.id, fields.current());
  }, []);
  const touch = () => {
    const now = Date.now();
    setMissing("");
    setWarned(null);
    if (line) return; // that has taken it
    unanswered.current.touched();
    since.current ||= now;
    if (!dirty) setDirty(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(save, Math.max(0, Math.min(SAVE_AFTER, since.current + SAVE_AT_LATEST - now)));
  };
  const changed = (set, name) => (value) => {
    set(value);
    line?.set(name, value);
    touch();
  };

  useEffect(() => {
    const leave = () => (save(), unanswered.current.keep());
    const hushed = hearBroughtUp(draft, () => latest.current.on.onRenew?.(draft.id));
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      hushed();
      save();
      unanswered.current.close();
    };
  }, []);
  useEffect(() => unanswered.current.hears(Number(told.serial || 0), Number(told.version || 0)), [told.serial, told.version]);
  useEffect(() => void (line && unanswered.current.letGo()), [line]); // that has it, and keeps it

  // A colleague took the draft over: say what stands here, for what is not saved must not be lost.
  useEffect(() => {
    if (!told.taken) return;
    clearTimeout(timer.current);
    since.current = 0;
    window.tandem?.hushKeys?.();
    unanswered.current.handed = true;
    if (line) line.handed = true;
    on.onYield?.(draft.id, fields.current());
  }, [told.taken]);
  useEffect(() => {
    if (!told.error && !told.answered) return;
    unanswered.current.handed = false; // it has not left
    if (line) line.handed = false;
  }, [told.error, told.answered]);

  /** `anyway`: although somebody answered meanwhile. `sure`: although there is something to look at. */
  const send = (thenDone, anyway, sure = anyway, planned = anyway || sure ? plan.current : NOW) => {
    done.current = thenDone;
    plan.current = planned;
    if (!to.length && !cc.length && !bcc.length) {
      setMissing("Add a recipient first.");
      return;
    }
    if (together && !line) return setMissing("The draft is still being opened.");
    const waiting = stillUp(uploads);
    if (waiting) return setMissing(waiting);
    const lines = sure ? [] : warningsOf(draft, { ...fields.current(), files: chips.length, from: from.current, signature: signed.current });
    if (lines.length) return setWarned({ lines, thenDone });
    setWarned(null);
    clearTimeout(timer.current);
    since.current = 0;
    if (thenDone && conversation) window.tandem?.leave?.(conversation);
    // What was chosen a moment ago may still be on its way: it is not sent as somebody else.
    Promise.all([senderStored.current?.(), signatureStored.current]).then(
      () => {
        unanswered.current.handed = true;
        if (line) line.handed = true;
        on.onSend?.(draft.id, fields.current(), thenDone, anyway, { ...planned, one_each: toEach ? "yes" : "" });
      },
      (refused) => {
        if (thenDone && conversation) window.tandem?.putBack?.(conversation);
        setMissing(refused.message);
      },
    );
  };

  const unpick = () => {
    flushSync(() => setPicking(null)); // while it stands, nothing else can be focused
    body.current.focus();
  };
  const putLink = (filled) => {
    flushSync(() => (setLinking(false), setBrowsing(false)));
    body.current.put(filled);
    touch();
  };
  const closeMeeting = () => (flushSync(() => setArranging(null)), body.current.focus());
  const takeOffMeeting = async () => {
    try {
      await removeMeeting(draft);
      on.onAttached?.(draft.id);
    } catch (fault) {
      setMissing(fault.message);
    }
  };
  const putTemplate = async (each, given) => {
    setPicking(null);
    try {
      if (each.url) {
        const filled = await fillInLink(draft, each.id, to);
        return filled.missing.length ? setLinking({ link: each, missing: filled.missing }) : putLink(filled);
      }
      const said = await fillIn(draft, each.id, to, given);
      if (said.subject && !subject.trim()) setSubject(said.subject);
      body.current.put(said);
      touch();
    } catch (fault) {
      setMissing(fault.message);
    }
  };

  const key = (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      send(event.shiftKey && Boolean(conversation), false);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      save();
      document.activeElement?.blur();
    }
  };

  const refused = told.error || told.theirs || told.answered || told.taken;
  const saved = line ? standingWords(standing) : dirty || (sent.current > Number(told.serial || 0) && !refused) ? (keptHere ? "Saving. It is kept in this browser meanwhile" : "Saving") : told.saved;
  return h(
    "section",
    {
      className: conversation ? "composer docked" : "composer",
      "aria-label": draft.title,
      "data-composer": draft.id,
      onKeyDown: key,
      onDragOver: (event) => event.preventDefault(),
      onDrop: (event) => {
        event.preventDefault();
        upload([...event.dataTransfer.files]);
      },
    },
    h(
      "div",
      { className: "composer-head" },
      h("span", { className: "composer-title" }, draft.title),
      h("span", { className: "third el", title: draft.sender }, `from ${draft.mailbox}`),
      h(WritersHere, { writers }),
      h("span", { className: "grow" }),
      !showFrom && h("button", { type: "button", className: "link", onClick: () => setShowFrom(true) }, "From"),
      !showCc && h("button", { type: "button", className: "link", onClick: () => setShowCc(true) }, "Cc Bcc"),
      h(
        "button",
        {
          type: "button",
          className: "btn q sq",
          "aria-label": "Close, and keep the draft",
          title: "Close, and keep the draft",
          onClick: () => {
            save();
            on.onFold?.(draft.id);
          },
        },
        icon(conversation ? "fold" : "close"),
      ),
    ),
    h(Recipients, { label: "To", value: to, onChange: changed(setTo, "to"), suggestions, onQuery: on.onQuery, focus: !conversation && !draft.to.length }),
    showCc && h(Recipients, { label: "Cc", value: cc, onChange: changed(setCc, "cc"), suggestions, onQuery: on.onQuery }),
    showCc && h(Recipients, { label: "Bcc", value: bcc, onChange: changed(setBcc, "bcc"), suggestions, onQuery: on.onQuery }),
    h(From, { draft, shown: showFrom, handle: senderStored, onChoice: (choice) => (from.current = choice), onHabits: (habits) => setUsually(habits.oneEach) }),
    (!conversation || draft.kind === "forward") &&
      h(
        "label",
        { className: "line" },
        h("span", { className: "line-label" }, "Subject"),
        h("input", { className: "subject", value: subject, "aria-label": "Subject", onChange: (event) => changed(setSubject, "subject")(event.target.value) }),
      ),
    h(Body, {
      draft,
      handle: body,
      together,
      line,
      quoted,
      onQuoted: (value) => (setQuoted(value), line?.set("quoted", value)),
      onChange: touch,
      onBlur: save,
      onFiles: upload,
      onTemplate: putTemplate,
      onTemplates: setPicking,
      onTrouble: setMissing,
    }),
    h(SignatureLine, { draft, to, onShown: (said) => void (signed.current = said), onStoring: (stored) => void (signatureStored.current = stored), onTrouble: setMissing }),
    meeting && h(MeetingCard, { meeting, onEdit: () => setArranging({}), onRemove: takeOffMeeting }),
    h(Attached, { draft, chips, uploads, onDetach: (id) => on.onDetach?.(draft.id, id), onChoose: () => picker.current.click() }),
    draft.copy_to && h("div", { className: "copy-line third" }, `A copy goes to ${draft.copy_to}, which the recipients do not see.`),
    toEach &&
      h(
        "div",
        { className: "copy-line third" },
        `Each of the ${people} people gets a mail of their own. `,
        h("button", { type: "button", className: "link", onClick: () => setEach(false) }, "Send one to all"),
      ),
    told.theirs &&
      h(
        "div",
        { className: "two-texts", role: "alert" },
        h("p", null, h("b", null, "Somebody saved another text meanwhile."), " Both are kept. Which one goes on?"),
        h("div", { className: "two" }, h("pre", { "aria-label": "Their text" }, told.theirs), h("pre", { "aria-label": "Your text" }, fields.current().text || "(empty)")),
        h(
          "div",
          { className: "bar" },
          h("button", { type: "button", className: "btn", onClick: () => { since.current = 0; clearTimeout(timer.current); unanswered.current.handed = true; on.onKeep?.(draft.id, "theirs", {}); } }, "Take theirs"),
          h("button", { type: "button", className: "btn", onClick: () => on.onKeep?.(draft.id, "mine", fields.current()) }, "Keep mine"),
        ),
      ),
    told.answered &&
      h(
        "div",
        { className: "held", role: "alert" },
        h("p", null, told.answered),
        (told.came ?? []).slice(-3).map((each, i) =>
          h(
            "blockquote",
            { key: i, className: "came" },
            h("span", { className: `mini face${each.face.colour}`, "aria-hidden": true }, each.face.initials),
            h("span", { className: "came-text" }, h("b", null, each.who), " ", each.text),
            each.message_id > 0 &&
              h("button", { type: "button", className: "btn", onClick: () => window.tandem.lookAt(each.message_id) }, "Look at it"),
          ),
        ),
        h("div", { className: "bar" }, h("button", { type: "button", className: "btn", onClick: () => send(done.current, true) }, "Send anyway")),
      ),
    warned &&
      h(
        "div",
        { className: "held", role: "alertdialog", "aria-label": "Before it is sent" },
        warned.lines.map((line) => h("p", { key: line }, line)),
        h(
          "div",
          { className: "bar" },
          h("button", { type: "button", className: "btn", autoFocus: true, onClick: () => setWarned(null) }, "Go back"),
          h("button", { type: "button", className: "btn", onClick: () => send(warned.thenDone, false, true) }, "Send anyway"),
        ),
      ),
    (missing || (told.error && !told.theirs)) && h("div", { className: "composer-error", role: "alert" }, missing || told.error),
    h(
      "div",
      { className: "bar" },
      h("input", {
        ref: picker,
        type: "file",
        multiple: true,
        hidden: true,
        "aria-label": "Files to attach",
        onChange: (event) => {
          upload([...event.target.files]);
          event.target.value = "";
        },
      }),
      h("button", { type: "button", className: "btn q", onClick: () => picker.current.click(), "aria-label": "Attach" }, icon("clip", 14), h("span", { className: "desk-only" }, "Attach")),
      h("button", { type: "button", className: "btn q", onClick: () => body.current.once(() => setPicking("")), "aria-label": "Template", title: "Template or snippet (/ in the text)" }, icon("template", 14), h("span", { className: "desk-only" }, "Template")),
      h(Links, { draft, to, asked: linking, onAsk: (now) => body.current.once(() => setLinking(now)), onPut: putLink, onInvite: meeting?.method === "cancel" ? null : (url) => (setLinking(false), setArranging({ url })) }),
      h("button", { type: "button", className: "btn q", onClick: () => body.current.once(() => setBrowsing(true)), "aria-label": "Documents and earlier files", title: "A document, or a file of earlier mail" }, icon("files", 14), h("span", { className: "desk-only" }, "Files")),
      !meeting && h("button", { type: "button", className: "btn q", onClick: () => setArranging({}), "aria-label": "Invite to a meeting", title: "Invite to a meeting" }, icon("calendar", 14), h("span", { className: "desk-only" }, "Meeting")),
      arranging && h(MeetingForm, { draft, to, meeting, url: arranging.url, onStored: () => (on.onAttached?.(draft.id), closeMeeting()), onClose: closeMeeting }),
      browsing && h(Library, { draft, onAttached: () => on.onAttached?.(draft.id), onPut: putLink, onClose: () => (flushSync(() => setBrowsing(false)), body.current.focus()) }),
      picking !== null && h(Picker, { draft, to, words: picking, onChoose: putTemplate, onClose: unpick }),
      h("button", { type: "button", className: "btn q sq", "aria-label": "Discard the draft", title: "Discard the draft", onClick: () => { save(); unanswered.current.handed = true; if (line) line.handed = true; on.onDiscard?.(draft.id); } }, icon("trash", 15)),
      h("span", { className: "grow" }),
      h("span", { className: "third saved", role: "status" }, saved),
      h(Later, { to, people, each: toEach, onEach: setEach, onChoose: (planned) => send(false, false, false, planned) }),
      h("button", { type: "button", className: conversation ? "btn" : "btn pri", onClick: () => send(false, false) }, "Send"),
      conversation && h("button", { type: "button", className: "btn pri", onClick: () => send(true, false) }, "Send and done"),
    ),
  );
}
