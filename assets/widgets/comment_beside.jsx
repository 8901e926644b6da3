import { createElement as h, useEffect, useRef, useState } from "react";
import { CommentBox, seeing } from "./comment.jsx";
import { besides } from "./compose/beside.js";
import { icon } from "./compose/icons.jsx";

// The comment box beside a docked composer. It stands there once somebody is mentioned in the mail that is written, or
// M is pressed, until the comment is said or closed; then the cursor is in the mail again.
export function CommentBeside({ conversation, ...box }) {
  const [named, setNamed] = useState(null); // whom the writer named last: { name, count }
  const known = useRef(box);
  known.current = box;
  useEffect(() => {
    const begin = (name) => setNamed((before) => ({ name, count: (before?.count ?? 0) + 1 }));
    besides.set(conversation, { people: () => seeing(known.current), begin });
    return () => void besides.delete(conversation);
  }, [conversation]);
  const close = () => {
    setNamed(null);
    document.querySelector(`[data-pane="${conversation}"] [data-composer] .composer-text`)?.focus();
  };
  if (!named) return h("button", { type: "button", className: "reader", tabIndex: -1, "data-key": "m", onClick: () => setNamed({ name: "", count: 1 }) }, "Comment to your team");
  return h(
    "div",
    { className: "dock-line beside" },
    h(CommentBox, { ...box, conversation, named, onDone: close }),
    h("button", { type: "button", className: "btn q sq", "aria-label": "Close the comment", title: "Close the comment", onClick: close }, icon("close", 15)),
  );
}
