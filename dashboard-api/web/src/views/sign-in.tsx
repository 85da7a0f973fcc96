// sign-in.tsx — name and password.
import { useState } from "preact/hooks";
import { type Account, type ApiFailure, get, post } from "../api.ts";
import { Failure } from "../parts/failure.tsx";
import { useLoaded } from "../use-loaded.ts";

export function SignInView({ onDone }: { readonly onDone: (account: Account) => void }) {
  const [failure, setFailure] = useState<ApiFailure>();
  const [isBusy, setBusy] = useState(false);
  const { value: setup } = useLoaded("setup", () => get<{ needed: boolean }>("/setup"));
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setFailure(undefined);
    try {
      const body = { name: String(form.get("name")), password: String(form.get("password")) };
      onDone(await post<Account>("/session", body));
    } catch (error) {
      setFailure(error as ApiFailure);
      setBusy(false);
    }
  };
  return (
    <main class="alone">
      <h1>
        <img src="/icon.svg" alt="" width="28" height="28" /> Wache
      </h1>
      {setup?.needed === true && (
        <p class="note">
          Nobody can sign in so far. Open the setup link that Wache printed at its start.
        </p>
      )}
      <form onSubmit={(event) => void submit(event)}>
        <label>
          Name
          <input name="name" autocomplete="username" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <Failure failure={failure} />
        <button type="submit" disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
