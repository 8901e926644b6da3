/** Closes what floats when the focus leaves it; with Escape it goes back to the text. */
export const floating = (onClose) => ({
  onKeyDown: (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    onClose(true);
  },
  onBlur: (event) => event.currentTarget.contains(event.relatedTarget) || setTimeout(() => onClose(false), 0),
});
