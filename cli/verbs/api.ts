// api.ts — the verb that runs one service alone, for scale-out over Kafka.
import { serviceVerb } from "../service-verb.ts";

export const api = serviceVerb({
  name: "api",
  summary: "serve REST and the web page",
  text: "Only the API and the page. Start as many as you like behind a load balancer.",
  services: async () => [(await import("../../dashboard-api/api.ts")).apiService],
});
