// errors.ts — errors that a person reads: what was wrong, where, what is allowed, what to do; a stable code.
export class UserError extends Error {
  override readonly name = "UserError";
  readonly code: string;
  readonly exitCode: number;
  constructor(code: string, message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? 1;
  }
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
