// first-log.tsx — what an empty page says: how to send the first log from where the reader is.
import { get, type Status } from "../api.ts";
import { useLoaded } from "../use-loaded.ts";
import { Command } from "./command.tsx";

export function FirstLog() {
  const { value: status } = useLoaded("status", () => get<Status>("/status"));
  const tokenFile = status?.senders.tokenFile ?? "wache-data/ingest.token";
  const syslog = status?.senders.syslog;
  const said = "Failed password for root from 203.0.113.7 port 40022 ssh2";
  const line = `$(date -u +%FT%TZ) web-1 sshd[4711]: ${said}`;
  return (
    <section class="first" aria-labelledby="first-title">
      <h2 id="first-title">No incidents. That is good, if logs are coming in.</h2>
      <p>
        To see one within a minute, replay the recorded attack that comes with Wache, in the folder
        where it was started:
      </p>
      <Command label="demo" text="npx wache demo" />
      <p>Send a line over HTTP, here from the machine that runs Wache:</p>
      <Command
        label="send a line over HTTP"
        text={`curl -H "Authorization: Bearer $(cat ${tokenFile})" \\\n  --data-binary "${line}" ${location.origin}/ingest`}
      />
      <p class="dim">
        The token for senders lies there in <code>{tokenFile}</code>; other machines need a copy of
        it.
      </p>
      {syslog !== undefined && (
        <>
          <p>Send a line as syslog:</p>
          <Command
            label="send a line as syslog"
            text={`logger -d -n ${syslog.host} -P ${syslog.udpPort} -t sshd "${said}"`}
          />
        </>
      )}
      <p>Send a whole file, with the times that it carries:</p>
      <Command label="send a file" text="npx wache send /var/log/auth.log" />
      <p>
        Whatever arrives can be found under <a href="/search?range=all">Search</a>.
      </p>
    </section>
  );
}
