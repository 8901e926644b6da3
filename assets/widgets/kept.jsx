import { useEffect, useRef } from "react";
import { bringUpAlone } from "./compose/alone.js";
import { draftsKept, forget, keepFor } from "./compose/kept.js";

// Brings up what a crashed browser had kept of drafts: it stands in them although nobody opens them here.
export function Kept({ me, onApart }) {
  const tell = useRef(onApart);
  tell.current = onApart;
  useEffect(() => {
    if (!me) return;
    keepFor(me);
    window.tandem = Object.assign(window.tandem ?? {}, { forgetKept: forget });
    const bring = async (drafts) => {
      if (!drafts.length) return;
      const { bringUp } = await import("./compose/together.js");
      for (const draft of drafts) bringUp(draft, () => tell.current?.());
    };
    draftsKept().then(bring).catch(() => {}); // the line is down: it is kept on
    bringUpAlone(() => tell.current?.());
  }, [me]);
  return null;
}
