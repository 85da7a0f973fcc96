// app.tsx — decides what is shown: setup, sign-in, or the view that the address names.
import { useCallback, useEffect, useState } from "preact/hooks";
import { type Account, type ApiFailure, get, remove, SIGNED_OUT } from "./api.ts";
import { Failure } from "./parts/failure.tsx";
import { go, type Place, usePlace } from "./router.ts";
import { DocsView } from "./views/docs.tsx";
import { IncidentView } from "./views/incident.tsx";
import { IncidentsView } from "./views/incidents.tsx";
import { RulesView } from "./views/rules.tsx";
import { SearchView } from "./views/search.tsx";
import { SetupView } from "./views/setup.tsx";
import { SignInView } from "./views/sign-in.tsx";
import { StatusView } from "./views/status.tsx";

type Who = { readonly account?: Account; readonly failure?: ApiFailure } | undefined;

export function App() {
  const place = usePlace();
  const [who, setWho] = useState<Who>();
  const findOut = useCallback(() => {
    get<Account>("/session")
      .then((account) => setWho({ account }))
      .catch((failure: ApiFailure) => setWho(failure.status === 401 ? {} : { failure }));
  }, []);
  useEffect(findOut, [findOut]);
  useEffect(() => {
    const forget = () => setWho({});
    window.addEventListener(SIGNED_OUT, forget);
    return () => window.removeEventListener(SIGNED_OUT, forget);
  }, []);
  const onSignedIn = (account: Account) => {
    setWho({ account });
    if (place.path === "/setup" || place.path === "/sign-in") go("/", { isReplacing: true });
  };
  if (place.path === "/setup") return <SetupView onDone={onSignedIn} />;
  if (who === undefined) return <p class="alone">Loading …</p>;
  if (who.failure !== undefined)
    return (
      <main class="alone">
        <Failure failure={who.failure} />
        <button type="button" onClick={findOut}>
          Try again
        </button>
      </main>
    );
  if (who.account === undefined) return <SignInView onDone={onSignedIn} />;
  const signOut = () => {
    remove("/session")
      .then(() => setWho({}))
      .catch((failure: ApiFailure) => setWho({ failure }));
  };
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header account={who.account} path={place.path} onSignOut={signOut} />
      <main id="main" tabIndex={-1}>
        <View place={place} />
      </main>
    </>
  );
}

const LINKS = [
  { to: "/", label: "Incidents" },
  { to: "/search", label: "Search" },
  { to: "/rules", label: "Rules" },
  { to: "/status", label: "Status" },
  { to: "/docs", label: "API" },
];

function Header(props: {
  readonly account: Account;
  readonly path: string;
  readonly onSignOut: () => void;
}) {
  return (
    <header>
      <a href="/" class="brand">
        <img src="/icon.svg" alt="" width="22" height="22" /> Wache
      </a>
      <nav aria-label="Views">
        {LINKS.map(({ to, label }) => (
          <a key={to} href={to} aria-current={isAt(to, props.path) ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <span class="who">{props.account.name}</span>
      <button type="button" class="quiet" onClick={props.onSignOut}>
        Sign out
      </button>
    </header>
  );
}

const isAt = (to: string, path: string): boolean =>
  to === path || (to === "/" && path.startsWith("/incidents/"));

function View({ place }: { readonly place: Place }) {
  const [, incidentId] = /^\/incidents\/(.+)$/.exec(place.path) ?? [];
  if (incidentId !== undefined) return <IncidentView id={decodeURIComponent(incidentId)} />;
  if (place.path === "/search") return <SearchView place={place} />;
  if (place.path === "/rules") return <RulesView />;
  if (place.path === "/status") return <StatusView />;
  if (place.path === "/docs") return <DocsView />;
  return <IncidentsView place={place} />;
}
