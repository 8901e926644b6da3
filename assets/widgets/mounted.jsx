import { useEffect } from "react";

// Tells the scripts that React owns the page now: what they write into it before would be lost.
export function Mounted() {
  useEffect(() => {
    window.dispatchEvent(new Event("tandem:mounted"));
  }, []);
  return null;
}
