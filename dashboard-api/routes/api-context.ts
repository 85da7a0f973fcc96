// api-context.ts — what every group of routes is given.
import type { FastifyInstance } from "fastify";
import type { ServiceContext } from "../../core/service.ts";
import type { Passwords } from "../auth/passwords.ts";
import type { SignIn } from "../auth/sign-in.ts";
import type { LiveHub } from "../live.ts";
import type { ApiBus } from "../patience.ts";

export type ApiContext = Pick<
  ServiceContext,
  "config" | "dataDir" | "store" | "clock" | "status" | "log" | "random" | "rulesDirs"
> & {
  readonly bus: ApiBus;
  readonly signIn: SignIn;
  readonly passwords: Passwords;
  readonly live: LiveHub;
};

export type Routes = (api: FastifyInstance, context: ApiContext) => void;
