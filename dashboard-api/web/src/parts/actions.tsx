// actions.tsx — acknowledge, assign, comment, close.
import { useState } from "preact/hooks";
import { ApiFailure, type Incident, pathOf, post } from "../api.ts";
import { Failure } from "./failure.tsx";

type Answer = Incident | { readonly accepted: true };

export function Actions(props: {
  readonly incident: Incident;
  readonly onChange: (incident: Incident) => void;
}) {
  const { incident, onChange } = props;
  const [busy, setBusy] = useState("");
  const [note, setNote] = useState("");
  const [failure, setFailure] = useState<ApiFailure>();
  const send = async (verb: string, body: Readonly<Record<string, string>>): Promise<boolean> => {
    setBusy(verb);
    setNote("");
    setFailure(undefined);
    try {
      const answer = await post<Answer>(`/incidents/${pathOf(incident.id)}/${verb}`, body, {
        // A try again after a lost answer must not do it twice: same words, same key.
        "idempotency-key": `${incident.revision}-${verb}`,
      });
      if ("accepted" in answer) setNote("Accepted; it shows here once it is done.");
      else onChange(answer);
      return true;
    } catch (error) {
      setFailure(error instanceof ApiFailure ? error : new ApiFailure(String(error)));
      return false;
    } finally {
      setBusy("");
    }
  };
  const isClosed = incident.status === "closed";
  return (
    <section class="actions" aria-label="What to do">
      {incident.status === "open" && (
        <button
          type="button"
          class="main"
          disabled={busy !== ""}
          onClick={() => void send("acknowledge", {})}
        >
          Acknowledge
        </button>
      )}
      {!isClosed && (
        <>
          <Field
            label="Assign to"
            button="Assign"
            max={64}
            onSend={(to) => send("assign", { to })}
          />
          <Field
            label="Close because"
            button="Close"
            max={4000}
            onSend={(reason) => send("close", { reason })}
          />
        </>
      )}
      <Field label="Comment" button="Add" max={4000} onSend={(text) => send("comment", { text })} />
      <p role="status">{busy !== "" ? "Sending …" : note}</p>
      <Failure failure={failure} />
    </section>
  );
}

function Field(props: {
  readonly label: string;
  readonly button: string;
  readonly max: number;
  readonly onSend: (text: string) => Promise<boolean>;
}) {
  const [text, setText] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (await props.onSend(text.trim())) setText("");
  };
  return (
    <form class="inline" onSubmit={(event) => void submit(event)}>
      <label>
        {props.label}
        <input
          value={text}
          maxLength={props.max}
          required
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={text.trim() === ""}>
        {props.button}
      </button>
    </form>
  );
}
