import { useEffect, useRef, useState } from "react";

// Takes the keys that somebody wants for a command: one, or two after each other.
const SECOND_WITHIN = 900;

export function KeyCatcher({ command, text, label, onKey }) {
  const [caught, setCaught] = useState(null); // null: not listening; else what has been pressed so far
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);

  const end = (keys) => {
    clearTimeout(timer.current);
    setCaught(null);
    if (keys) onKey?.(command, keys);
  };
  const press = (event) => {
    if (caught === null) return;
    if (event.key === "Tab") return end("");
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return end("");
    // What the browser, the system or a field makes of a key stays theirs.
    if (event.ctrlKey || event.metaKey || event.altKey || [...event.key].length !== 1 || event.key === " ") return;
    if (caught) return end(`${caught} ${event.key}`);
    setCaught(event.key);
    timer.current = setTimeout(() => end(event.key), SECOND_WITHIN);
  };
  return (
    <button type="button" className="btn" aria-label={caught === null ? `${text}: ${label || "no key"}. Change it` : `Press the new key of ${text}`} onKeyDown={press} onBlur={() => caught !== null && end("")} onClick={() => setCaught("")}>
      {caught === null ? label ? <kbd>{label}</kbd> : "No key" : caught ? <kbd>{caught}</kbd> : "Press a key"}
    </button>
  );
}
