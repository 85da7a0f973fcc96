// api-context.ts — what every group of routes is given.
import type { FastifyInstance } from "fastify";
import type { Bus } from "../../core/bus/bus.ts";
import type { ServiceContext } from "../../core/service.ts";
import type { Passwords } from "../auth/passwords.ts";
import type { SignIn } from "../auth/sign-in.ts";
import type { LiveHub } from "../live.ts";

export type ApiContext = Pick<
  ServiceContext,
  "config" | "dataDir" | "store" | "clock" | "status" | "log" | "random" | "rulesDirs"
> & {
  readonly bus: Pick<Bus, "kind" | "produce" | "lag" | "check">;
  readonly signIn: SignIn;
  readonly passwords: Passwords;
  readonly live: LiveHub;
};

export type Routes = (api: FastifyInstance, context: ApiContext) => void;
