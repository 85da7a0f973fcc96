// moved-fields.ts — where a collector puts what an event says in the place of something of ECS or of Wache's own.
//
// Why: rules name such a field as the log does. What reads it looks where it was put first, then where it stood: the same
//      rule holds for the line as it was written and for the event as it is kept.

/** The objects of ECS, and the field of each that a plain value in its place belongs to. */
export const PLAIN_BELONGS: readonly (readonly [name: string, below: string])[] = [
  ["host", "name"],
  ["user", "name"],
  ["process", "name"],
  ["source", "address"],
  ["destination", "address"],
  ["client", "address"],
  ["server", "address"],
  ["file", "path"],
  ["url", "original"],
  ["agent", "name"],
  ["observer", "name"],
  ["network", "name"],
  ["log", "logger"],
  ["event", "value"],
];
/** The id that its sender gave an event; `event.id` is Wache's. */
export const CLIENT_ID = "client_id";

const MOVED: ReadonlyMap<string, string> = new Map([
  ...PLAIN_BELONGS.map(([name, below]): [string, string] => [name, `${name}.${below}`]),
  ["event.id", `event.${CLIENT_ID}`],
]);

/** The paths, and before each that is moved the one where that is put. */
export const withMoved = (paths: readonly string[]): readonly string[] =>
  paths.flatMap((path) => {
    const moved = MOVED.get(path);
    return moved === undefined ? [path] : [moved, path];
  });
