// setup.tsx — makes the first admin, with the token behind the # of the setup link (it never reaches a log).
import { useState } from "preact/hooks";
import { type Account, ApiFailure, get, post } from "../api.ts";
import { Failure } from "../parts/failure.tsx";
import { useLoaded } from "../use-loaded.ts";

const PASSWORD_LENGTH_MIN = 12;

export function SetupView({ onDone }: { readonly onDone: (account: Account) => void }) {
  const [failure, setFailure] = useState<ApiFailure>();
  const [isBusy, setBusy] = useState(false);
  const { value: state } = useLoaded("setup", () => get<{ needed: boolean }>("/setup"));
  const token = location.hash.slice(1);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const password = String(form.get("password"));
    if (password !== String(form.get("again")))
      return setFailure(new ApiFailure("The two passwords differ."));
    setBusy(true);
    setFailure(undefined);
    try {
      onDone(await post<Account>("/setup", { token, name: String(form.get("name")), password }));
    } catch (error) {
      setFailure(error as ApiFailure);
      setBusy(false);
    }
  };
  if (state?.needed === false)
    return (
      <main class="alone">
        <h1>Wache is set up</h1>
        <p>
          There is an admin already. <a href="/">Sign in</a>
        </p>
      </main>
    );
  return (
    <main class="alone">
      <h1>Welcome to Wache</h1>
      <p>Choose the name and password of the first administrator.</p>
      {token === "" && (
        <p class="failure" role="alert">
          This address carries no token: open the whole link that Wache printed at its start.
        </p>
      )}
      <form onSubmit={(event) => void submit(event)}>
        <label>
          Name
          <input
            name="name"
            autocomplete="username"
            required
            pattern="[A-Za-z0-9][A-Za-z0-9._@\-]*"
          />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            autocomplete="new-password"
            required
            minLength={PASSWORD_LENGTH_MIN}
          />
          <span class="dim">at least {PASSWORD_LENGTH_MIN} characters</span>
        </label>
        <label>
          Password again
          <input name="again" type="password" autocomplete="new-password" required />
        </label>
        <Failure failure={failure} />
        <button type="submit" disabled={isBusy || token === ""}>
          Create the administrator
        </button>
      </form>
    </main>
  );
}
