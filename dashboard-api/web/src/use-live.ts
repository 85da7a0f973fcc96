// use-live.ts — listens to what changes; when the line breaks it says so and tries again.
import { useEffect, useRef, useState } from "preact/hooks";
import type { IncidentLine } from "./api.ts";

const retryMs = 3000;

/** Whether the line is open; `onBack` is called when it is there again after a break. */
export function useLive(on: {
  readonly incident: (line: IncidentLine) => void;
  readonly back: () => void;
}): boolean {
  const [isOpen, setOpen] = useState(true);
  const handlers = useRef(on);
  handlers.current = on;
  useEffect(() => {
    let source: EventSource | undefined;
    let retry: number | undefined;
    let wasBroken = false;
    const connect = () => {
      source = new EventSource("/api/live");
      source.addEventListener("hello", () => {
        setOpen(true);
        if (wasBroken) handlers.current.back();
        wasBroken = false;
      });
      source.addEventListener("incident", (event) =>
        handlers.current.incident(JSON.parse((event as MessageEvent<string>).data)),
      );
      source.addEventListener("error", () => {
        setOpen(false);
        if (!wasBroken) handlers.current.back();
        wasBroken = true;
        if (source?.readyState !== EventSource.CLOSED) return;
        retry = window.setTimeout(connect, retryMs);
      });
    };
    connect();
    return () => {
      source?.close();
      window.clearTimeout(retry);
    };
  }, []);
  return isOpen;
}
