// status.tsx — how the parts of Wache are, in their own words.
import { get, type Status } from "../api.ts";
import { Failure } from "../parts/failure.tsx";
import { useLoaded } from "../use-loaded.ts";

export function StatusView() {
  const {
    value: status,
    failure,
    isLoading,
    reload,
  } = useLoaded("status", () => get<Status>("/status"));
  return (
    <>
      <div class="bar">
        <h1>Status</h1>
        <button type="button" class="quiet" onClick={reload} disabled={isLoading}>
          Look again
        </button>
      </div>
      <Failure failure={failure} />
      {status !== undefined && (
        <>
          <p class="dim">
            Version {status.version}, up for {spanOf(status.uptimeS)}.
          </p>
          <table>
            <thead>
              <tr>
                <th scope="col">Part</th>
                <th scope="col">State</th>
                <th scope="col">It says</th>
              </tr>
            </thead>
            <tbody>
              {Object.entries(status.parts).map(([name, part]) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td>
                    <span class={`badge ${part.ok ? "status-closed" : "level-critical"}`}>
                      {part.ok ? "well" : "not well"}
                    </span>
                  </td>
                  <td>{part.text}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <Lags lag={status.lag} />
        </>
      )}
    </>
  );
}

function Lags({ lag }: Pick<Status, "lag">) {
  if (lag.length === 0) return null;
  return (
    <>
      <h2>On the bus</h2>
      <p class="dim prose">
        Records since each group last noted how far it is. Stages that keep state note it once a
        minute; a number that only grows is a stage that does not keep up.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col">Topic</th>
            <th scope="col" class="number">
              Records
            </th>
          </tr>
        </thead>
        <tbody>
          {lag.map(({ group, topic, records }) => (
            <tr key={`${group} ${topic}`}>
              <td>{group}</td>
              <td>{topic}</td>
              <td class="number">{records}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function spanOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
