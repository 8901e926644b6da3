import { createElement as h, useRef } from "react";
import { icon } from "./icons.jsx";

// The folders of the templates as a tree, those within others set in. Arrows go from one to the next; `folder` is the chosen
// one's path, empty for all. Where there is no room for a tree, the same is a list to choose from.
export function Folders({ folders, total, folder, onChoose }) {
  const tree = useRef(null);
  const all = [{ path: "", name: "All templates", depth: 0, count: total }, ...folders];
  const chosen = all.some((each) => each.path === folder) ? folder : "";
  const keys = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation(); // the list beside has arrows, too
    const buttons = [...tree.current.querySelectorAll("button")];
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    next.focus();
    onChoose(next.dataset.path);
  };
  return [
    h(
      "nav",
      { key: "tree", ref: tree, className: "picker-folders", "aria-label": "Folders", onKeyDown: keys },
      all.map((each) =>
        h(
          "button",
          {
            key: each.path,
            type: "button",
            "data-path": each.path,
            className: each.path === chosen ? "on" : "",
            "aria-current": each.path === chosen ? "true" : undefined,
            tabIndex: each.path === chosen ? 0 : -1,
            style: { paddingLeft: `${10 + each.depth * 16}px` },
            onClick: () => onChoose(each.path),
          },
          icon(each.path ? "folder" : "template", 15),
          h("span", { className: "el grow" }, each.name),
          h("small", null, each.count),
        ),
      ),
    ),
    h(
      "select",
      { key: "list", className: "select picker-folder", "aria-label": "Folder", value: chosen, onChange: (event) => onChoose(event.target.value) },
      all.map((each) => h("option", { key: each.path, value: each.path }, `${"\u2003".repeat(each.depth)}${each.name} (${each.count})`)),
    ),
  ];
}
