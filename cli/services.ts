// services.ts — every service of Wache, in the order of their start.
import { alertService } from "../alerting/alert.ts";
import { collectService } from "../collectors/collect.ts";
import type { Service } from "../core/service.ts";
import { correlateService } from "../correlator/correlate.ts";
import { detectService } from "../correlator/detect.ts";
import { apiService } from "../dashboard-api/api.ts";

/** Who takes records starts before who makes them, and stops after. */
export const ALL_SERVICES: readonly Service[] = [
  alertService,
  correlateService,
  detectService,
  collectService,
  apiService,
];
