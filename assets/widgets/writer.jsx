import { createElement as h, useEffect, useRef, useState } from "react";
import { holding, send } from "./api.js";

// The composer's editor in a form of the settings: for templates, signatures and the footer. Pictures are sent up at once.
const PAUSE = 300;

const sendUp = async (file) => (await send("POST", "/template-pictures", holding(file))).content_id;

/** `initial` is what it begins with; give it a key to begin anew. `onWrite` hears the HTML with every pause. */
export function Writer({ initial, label, onWrite }) {
  const [module, setModule] = useState(null);
  const [trouble, setTrouble] = useState("");
  const inner = useRef(null);
  const timer = useRef(0);
  const box = useRef(null);

  useEffect(() => {
    let wanted = true;
    Promise.all([import("./compose/editor.jsx"), import("./compose/pictures.js")]).then(
      ([editor, pictures]) => wanted && setModule({ ...editor, ...pictures }),
      () => wanted && setTrouble("The editor could not be loaded. Load the page again."),
    );
    return () => {
      wanted = false;
      clearTimeout(timer.current);
    };
  }, []);
  useEffect(() => {
    box.current?.querySelector(".ProseMirror")?.setAttribute("aria-label", label);
  }, [module]);

  const tell = () => {
    clearTimeout(timer.current);
    timer.current = 0;
    if (inner.current) onWrite?.(inner.current.html());
  };
  const picture = async (file) => {
    try {
      const [name, width] = [await sendUp(file), await module.widthOf(file)];
      return { src: `cid:${name}`, alt: "", width };
    } catch (fault) {
      setTrouble(`${file.name}: ${fault.message}`);
      return null;
    }
  };
  return h(
    "div",
    { ref: box, className: "writer" },
    trouble && h("p", { className: "form-problem", role: "alert" }, trouble),
    module &&
      h(module.RichText, {
        draft: "/api/v1/template-pictures",
        html: initial,
        typed: null,
        handle: inner,
        placeholder: label,
        onChange: () => {
          clearTimeout(timer.current);
          timer.current = setTimeout(tell, PAUSE);
        },
        onBlur: () => timer.current && tell(),
        onFiles: () => setTrouble("Only pictures can stand in the text."),
        onPicture: picture,
      }),
  );
}
