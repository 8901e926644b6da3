import { useContext, useEffect, useRef } from "react";
import { ColorModeContext } from "$/utils/context-registry";

// The socket tells the server this mark. The same one again means that a line was lost, and that everything that is
// open and typed still stands here. It is set before the first socket opens: a page that the browser dropped to save
// memory leaves without a word, and forgets as much as one that was loaded again.
const mark = () => sessionStorage.setItem("tandem-page", String(Math.random()));
if (typeof window !== "undefined") {
  mark();
  window.addEventListener("pagehide", mark);
}

// Lets assets/js/desk.js tell the state what it has already shown, and gives scripts the person's settings.
export function Bridge(props) {
  const latest = useRef(props);
  latest.current = props;
  const mode = useContext(ColorModeContext);

  useEffect(() => {
    const pass = (name) => (...told) => latest.current[name]?.(...told);
    const ways = {
      select: pass("onSelect"),
      status: pass("onStatus"),
      // With whom the page showed: when somebody was faster, the server says so.
      assign: (id, user, team, seen) =>
        latest.current.onAssign?.(id, user, team, seen ?? document.querySelector(`.pane[data-pane="${id}"]`)?.dataset.assigned ?? ""),
      listing: pass("onListing"),
      window: pass("onWindow"),
      unread: pass("onUnread"),
      visibility: pass("onVisibility"),
      share: pass("onShare"),
      merge: pass("onMerge"),
      unmerge: pass("onUnmerge"),
      split: pass("onSplit"),
      move: pass("onMove"),
      findMergeable: pass("onFindMergeable"),
      tag: pass("onTag"),
      newTag: pass("onNewTag"),
      star: pass("onStar"),
      remind: pass("onRemind"),
      away: pass("onAway"),
      reply: pass("onReply"),
      looking: pass("onLooking"),
      many: pass("onMany"),
      markAll: pass("onMarkAll"),
      emptyTrash: pass("onEmptyTrash"),
    };
    window.tandem = Object.assign(window.tandem ?? {}, { bridge: ways });
    window.dispatchEvent(new Event("tandem:mounted"));
    return () => {
      if (window.tandem.bridge === ways) window.tandem.bridge = null;
    };
  }, []);

  useEffect(() => {
    // What nobody has chosen follows the browser: UTC and plain English are what everybody begins with.
    const locale = props.locale === "en" && navigator.language.startsWith("en") ? navigator.language : props.locale;
    window.tandem.person = { locale, timeZone: props.timeZone === "UTC" ? "" : props.timeZone };
    window.dispatchEvent(new Event("tandem:person"));
  }, [props.locale, props.timeZone]);

  useEffect(() => {
    if (props.theme && props.theme !== localStorage.getItem("theme")) mode?.setColorMode?.(props.theme);
  }, [props.theme]);

  return null;
}
