// collect.ts — the verb that runs one service alone, for scale-out over Kafka.
import { serviceVerb } from "../service-verb.ts";

export const collect = serviceVerb({
  name: "collect",
  summary: "take logs in: syslog, files, HTTP",
  text: "Only the inputs: lines become events in the topic wache.events.",
  services: async () => [(await import("../../collectors/collect.ts")).collectService],
});
