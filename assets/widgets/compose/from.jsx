import { createElement as h, useEffect, useRef, useState } from "react";
import { get, send } from "../api.js";
import { icon } from "./icons.jsx";

// As whom a mail is sent: what this person may choose from is asked for when the composer opens, and each choice is
// stored at once, apart from the text. `onChoice` hears what stands there: { address, verified, canAsk }; `onHabits`
// what this person chose last for a mail to several people. `handle` is set to what resolves once all of it is stored:
// no mail is sent before.
const PLAIN = { identity_id: null, from_name: "", reply_to: "default", reply_to_address: "" };
const TYPED_AFTER = 500;

const store = (id, sender) => send("PUT", `/drafts/${id}/sender`, sender);
const keyOf = (mailbox, identity) => `${mailbox}.${identity ?? 0}`;

export function From({ draft, shown, onChoice, onHabits, handle }) {
  const [known, setKnown] = useState(null); // what the server offers
  const [mailbox, setMailbox] = useState(draft.mailbox_id);
  const [sender, setSender] = useState(PLAIN);
  const [fault, setFault] = useState("");
  const timer = useRef(0);
  const unstored = useRef(null); // what was chosen, until the server has it
  const storing = useRef(Promise.resolve());
  const adHoc = draft.kind === "new";

  useEffect(() => {
    let here = true;
    get(`/drafts/${draft.id}/senders`)
      .then((senders) => here && (setKnown(senders), setSender({ ...PLAIN, ...senders.sender }), onHabits?.({ oneEach: senders.one_each })))
      .catch(() => here && setKnown({ choices: [], reply_to: [], can_ask: false }));
    return () => {
      here = false;
      keep();
    };
  }, []);

  const choice = known?.choices.find((each) => keyOf(each.mailbox_id, each.identity_id) === keyOf(mailbox, sender.identity_id));
  useEffect(() => {
    onChoice?.(choice ? { address: choice.address, verified: choice.verified, canAsk: known.can_ask } : null);
  }, [choice, known]);

  // One after the other, so that what was chosen last is what stays.
  const write = () => {
    clearTimeout(timer.current);
    const chosen = unstored.current;
    if (!chosen) return storing.current;
    storing.current = storing.current
      .catch(() => {}) // that one was told of
      .then(() => unstored.current === chosen && store(draft.id, chosen))
      .then(() => {
        if (unstored.current === chosen) unstored.current = null;
      });
    return storing.current;
  };
  const keep = () => void write().catch((refused) => setFault(refused.message));
  if (handle) handle.current = write;
  const put = (change, box = mailbox, after = 0) => {
    const next = { ...sender, ...change };
    setSender(next);
    setMailbox(box);
    setFault("");
    clearTimeout(timer.current);
    unstored.current = { sender: next, mailbox_id: box };
    timer.current = setTimeout(keep, after);
  };
  if (!shown) return null;
  if (!known) {
    const place = (label, said) => h("div", { className: "line" }, h("span", { className: "line-label" }, label), h("span", { className: "second el" }, said));
    return h("div", { className: "sent-as", "aria-hidden": true }, place("From", draft.sender), adHoc && place("Reply-to", ""));
  }

  const choose = (key) => {
    const next = known.choices.find((each) => keyOf(each.mailbox_id, each.identity_id) === key);
    put({ identity_id: next.identity_id, from_name: next.group ? sender.from_name : "" }, next.mailbox_id);
  };
  return h(
    "div",
    { className: "sent-as" },
    h(
      "div",
      { className: "line" },
      h("span", { className: "line-label" }, "From"),
      h(
        "select",
        { className: "select", "aria-label": "From", value: choice ? keyOf(choice.mailbox_id, choice.identity_id) : "", onChange: (event) => choose(event.target.value) },
        !choice && h("option", { value: "" }, "Choose a From"),
        known.choices.map((each) =>
          h("option", { key: keyOf(each.mailbox_id, each.identity_id), value: keyOf(each.mailbox_id, each.identity_id) }, `${each.name} <${each.address}>`),
        ),
      ),
      choice?.group &&
        h("input", {
          className: "input from-name",
          "aria-label": "From name of this mail",
          placeholder: choice.name,
          maxLength: 100,
          value: sender.from_name,
          onChange: (event) => put({ from_name: event.target.value }, mailbox, TYPED_AFTER),
          onBlur: keep,
        }),
      choice && known.can_ask && !choice.verified && h("span", { className: "unverified", title: "Nobody has said yet that this address is theirs." }, icon("alert", 14), "not verified"),
    ),
    adHoc &&
      h(
        "div",
        { className: "line" },
        h("span", { className: "line-label" }, "Reply-to"),
        h(
          "select",
          { className: "select", "aria-label": "Reply-to", value: sender.reply_to, onChange: (event) => put({ reply_to: event.target.value }) },
          h("option", { value: "default" }, "As set for this sender"),
          known.reply_to.map((each) => h("option", { key: each.kind, value: each.kind }, `${each.kind === "own" ? "Me" : "The team"}: ${each.address}`)),
          h("option", { value: "outgoing" }, "The address in From"),
          h("option", { value: "other" }, "Another address"),
        ),
        sender.reply_to === "other" &&
          h("input", {
            className: "input",
            type: "email",
            "aria-label": "Another address for answers",
            placeholder: "name@example.org",
            value: sender.reply_to_address,
            onChange: (event) => put({ reply_to_address: event.target.value }, mailbox, TYPED_AFTER),
            onBlur: keep,
          }),
      ),
    choice?.forced_by &&
      h("div", { className: "copy-line third" }, `${choice.forced_by} always sends as the account’s own address, ${choice.address}. Answers go to ${choice.wanted}.`),
    fault && h("div", { className: "composer-error", role: "alert" }, fault),
  );
}
