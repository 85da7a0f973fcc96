// command.tsx — one line of code that a reader copies.
import { useState } from "preact/hooks";

export function Command({ text, label }: { readonly text: string; readonly label: string }) {
  const [said, setSaid] = useState("Copy");
  const copy = () => {
    // Without https a browser gives no clipboard: the text is there to be selected.
    const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    done.then(() => setSaid("Copied")).catch(() => setSaid("Select it"));
  };
  return (
    <div class="command">
      <pre>{text}</pre>
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy: ${label}`}>
        {said}
      </button>
    </div>
  );
}
