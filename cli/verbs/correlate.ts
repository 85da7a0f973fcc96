// correlate.ts — the verb that runs one service alone, for scale-out over Kafka.
import { serviceVerb } from "../service-verb.ts";

export const correlate = serviceVerb({
  name: "correlate",
  summary: "keep the windows of correlation rules",
  text: "Only the stateful stage: signals become findings; it also keeps events and findings in the store. Partitions are shared among all that run.",
  services: async () => [(await import("../../correlator/correlate.ts")).correlateService],
});
