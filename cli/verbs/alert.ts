// alert.ts — the verb that runs one service alone, for scale-out over Kafka.
import { serviceVerb } from "../service-verb.ts";

export const alert = serviceVerb({
  name: "alert",
  summary: "keep incidents and page people",
  text: "Only incidents, routes and deliveries. Partitions are shared among all that run.",
  services: async () => [(await import("../../alerting/alert.ts")).alertService],
});
