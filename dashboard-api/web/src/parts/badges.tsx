// badges.tsx — severity and status: a word each, colour only beside it.
import type { Incident, Level } from "../api.ts";

export const Severity = ({ level }: { readonly level: Level }) => (
  <span class={`badge level-${level}`}>{level}</span>
);

export const Status = ({ status }: { readonly status: Incident["status"] }) => (
  <span class={`badge status-${status}`}>{status}</span>
);

export const Group = ({ group }: { readonly group: Readonly<Record<string, string>> }) => (
  <span class="group">
    {Object.entries(group).map(([name, value]) => (
      <span key={name} title={name}>
        <span class="dim">{name}</span> {value}
      </span>
    ))}
  </span>
);
