// use-live.ts — listens to what changes; when the line breaks it says so and tries again.
import { useEffect, useRef, useState } from "preact/hooks";
import type { IncidentLine } from "./api.ts";

const retryMs = 3000;

/** Whether the line is open; `hello` is called when it opens: whatever is asked for after that is as new as the line. */
export function useLive(on: {
  readonly incident: (line: IncidentLine) => void;
  readonly hello: () => void;
}): boolean {
  const [isOpen, setOpen] = useState(true);
  const handlers = useRef(on);
  handlers.current = on;
  useEffect(() => {
    let source: EventSource | undefined;
    let retry: number | undefined;
    const connect = () => {
      disconnect();
      source = new EventSource("/api/live");
      source.addEventListener("hello", () => {
        setOpen(true);
        handlers.current.hello();
      });
      source.addEventListener("incident", (event) =>
        handlers.current.incident(JSON.parse((event as MessageEvent<string>).data)),
      );
      source.addEventListener("error", () => {
        setOpen(false);
        handlers.current.hello(); // which finds out whether the session has ended
        if (source?.readyState !== EventSource.CLOSED) return;
        retry = window.setTimeout(connect, retryMs);
      });
    };
    const disconnect = () => {
      source?.close();
      window.clearTimeout(retry);
    };
    // A browser has few connections for one server: pages that nobody sees must not hold them all.
    const followSight = () => (document.hidden ? disconnect() : connect());
    document.addEventListener("visibilitychange", followSight);
    connect();
    return () => {
      document.removeEventListener("visibilitychange", followSight);
      disconnect();
    };
  }, []);
  return isOpen;
}
