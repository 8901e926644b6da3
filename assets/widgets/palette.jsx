import { createElement as h, useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";

// The command palette: everything of the product, and everything in it, by its name. What it is made of comes once the
// page has nothing better to do (assets/widgets/palette/), and with it the index; from then on a key is answered here.
let coming = null;
const load = () => (coming ??= import("./palette/box.jsx").catch((fault) => {
  coming = null; // the next time asks again
  throw fault;
}));

const whenIdle = (deed) => {
  if (window.requestIdleCallback) return requestIdleCallback(deed, { timeout: 5000 });
  return setTimeout(deed, 1500);
};

const ready = (found, tries = 200) => {
  if (window.tandem?.setCommands) found(window.tandem);
  else if (tries) setTimeout(() => ready(found, tries - 1), 50);
};

export function Palette(props) {
  const latest = useRef(props);
  latest.current = props;
  const [parts, setParts] = useState(null);
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();

  useEffect(() => ready((tandem) => (tandem.navigate = navigate)), [navigate]);
  useEffect(() => ready((tandem) => tandem.setCommands(props.commands, props.keys)), [props.commands, props.keys]);
  useEffect(() => {
    const bring = () => load().then(setParts, (fault) => console.warn("The palette could not be loaded", fault));
    const palette = {
      open: () => {
        if (document.querySelector("dialog[open]")) return; // a question is to be answered first
        window.tandem.closeMenu?.(true);
        setOpen(true);
        if (!coming || !parts) bring();
      },
      bring,
    };
    ready((tandem) => (tandem.palette = palette));
  }, [parts]);
  useEffect(() => {
    if (!props.me) return;
    whenIdle(() => window.tandem.palette?.bring());
  }, [props.me]);
  useEffect(() => {
    if (parts && props.me) parts.things.follow(props.me, props.news);
  }, [parts, props.me, props.news]);

  if (!open || !parts) return null;
  return h(parts.Box, { ...props, close: () => setOpen(false) });
}
