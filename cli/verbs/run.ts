// run.ts — the verb that starts all of Wache in one process; `npm start` is this.
import { serviceVerb } from "../service-verb.ts";

export const run = serviceVerb({
  name: "run",
  summary: "start all services in one process",
  text: "Everything on one machine: logs come in by syslog, files and HTTP, incidents show on the page. It stops on SIGTERM or Ctrl-C after finishing what is under way; a second signal ends it at once.",
  services: async () => (await import("../services.ts")).ALL_SERVICES,
});
