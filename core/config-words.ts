// config-words.ts — the kinds of values that wache.yaml has, of which its schema is made.
import { Type } from "typebox";

export const closed = { additionalProperties: false } as const;
export const section = <T extends Parameters<typeof Type.Object>[0]>(
  fields: T,
  description: string,
) => Type.Object(fields, { ...closed, default: {}, description });
export const host = (description: string) => Type.String({ default: "127.0.0.1", description });
export const port = (byDefault: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: byDefault, description });
/** A span as people write it: `30s`, `10m`, `1h`, `7d`; read by spans.ts. */
export const span = (byDefault: string, description: string) =>
  Type.String({ pattern: "^[0-9]+(ms|s|m|h|d)$", default: byDefault, description });
/** An address that a request goes to; it may hold a secret, so that no fault shows it. */
export const webAddress = (description: string) => Type.String({ form: "webAddress", description });
export const mailAddress = (description?: string) =>
  Type.String({ form: "mailAddress", ...(description !== undefined && { description }) });
export const secret = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, description, secret: true }));
