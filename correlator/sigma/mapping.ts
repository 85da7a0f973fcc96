// mapping.ts — where a field that a rule names stands in an event.
//
// In:    the rule's log source and the field's name in the rule.
// Out:   the event's paths, the likeliest first.
// Why:   the one seam between Sigma's names and ECS (core/mappings.ts): rules that use ECS names map to themselves.
import type { LogSource } from "../../core/event.ts";
import type { EventField } from "./rule.ts";

export type FieldMapping = (logsource: LogSource, name: string) => EventField;

export const ecsNames: FieldMapping = (_logsource, name) => ({ name, paths: [name] });
