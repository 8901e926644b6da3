import { createElement as h, useEffect, useState } from "react";
import { chooseSignature, signaturesOf } from "./templates.js";

// Whose signature stands below the text. It is filled in for whom the mail goes to, and put in when it is sent.
const NAMES = { none: "No signature", person: "My signature", mailbox: "The mailbox's signature" };

/** `onShown` hears what it says, for what is looked at before the mail is sent; `onStoring` what resolves once a choice is stored. */
export function SignatureLine({ draft, to, onShown, onStoring, onTrouble }) {
  const [offered, setOffered] = useState(null);
  const [chosen, setChosen] = useState(draft.signature);
  const first = to[0]?.address ?? "";

  useEffect(() => {
    let wanted = true;
    signaturesOf(draft, to.slice(0, 1)).then(
      (found) => wanted && setOffered(found),
      () => {}, // it is put in by the server all the same
    );
    return () => {
      wanted = false;
    };
  }, [first]);
  const shown = offered?.[chosen]?.text ?? "";
  useEffect(() => onShown(shown), [shown]);

  if (!offered || !(offered.person || offered.mailbox)) return null;
  const choose = async (event) => {
    const [before, next] = [chosen, event.target.value];
    setChosen(next);
    const stored = chooseSignature(draft, next);
    onStoring(stored);
    try {
      await stored;
    } catch (fault) {
      onStoring(null);
      setChosen(before);
      onTrouble(fault.message);
    }
  };
  return h(
    "div",
    { className: "signature-line" },
    h(
      "select",
      { value: offered[chosen] ? chosen : "none", onChange: choose, "aria-label": "Signature", className: "select" },
      ["none", "person", "mailbox"].filter((each) => each === "none" || offered[each]).map((each) => h("option", { key: each, value: each }, NAMES[each])),
    ),
    shown && h("div", { className: "signature-text third" }, shown),
  );
}
