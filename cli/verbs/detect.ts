// detect.ts — the verb that runs one service alone, for scale-out over Kafka.
import { serviceVerb } from "../service-verb.ts";

export const detect = serviceVerb({
  name: "detect",
  summary: "match events against the rules",
  text: "Only the stateless stage: events become findings, and signals for the correlations. Start as many as you like.",
  services: async () => [(await import("../../correlator/detect.ts")).detectService],
});
