// use-loaded.ts — asks for something when its name changes, and again on request; late answers to old questions are dropped.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "./api.ts";

export type Loaded<T> = {
  readonly value: T | undefined;
  readonly failure: ApiFailure | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
  readonly set: (value: T) => void;
};

export function useLoaded<T>(name: string, load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ name: string; value?: T; failure?: ApiFailure }>({ name });
  const [isLoading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const loadNow = useRef(load);
  loadNow.current = load;
  useEffect(() => {
    let isWanted = true;
    setLoading(true);
    loadNow
      .current()
      .then((value) => isWanted && setState({ name, value }))
      .catch((error: unknown) => isWanted && setState((old) => failed(name, old, error)))
      .finally(() => isWanted && setLoading(false));
    return () => {
      isWanted = false;
    };
  }, [name, round]);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  const set = useCallback((value: T) => setState({ name, value }), [name]);
  const isCurrent = state.name === name;
  return {
    value: isCurrent ? state.value : undefined,
    failure: isCurrent ? state.failure : undefined,
    isLoading,
    reload,
    set,
  };
}

/** What was shown stays: a lost connection must not empty the page. */
function failed<T>(name: string, old: { name: string; value?: T }, error: unknown) {
  const failure = error instanceof ApiFailure ? error : new ApiFailure(String(error));
  return old.name === name ? { ...old, failure } : { name, failure };
}
