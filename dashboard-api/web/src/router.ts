// router.ts — which view the address names; a link changes the address without loading the page again.
import { useEffect, useState } from "preact/hooks";

export type Place = { readonly path: string; readonly search: URLSearchParams };

export function usePlace(): Place {
  const [place, setPlace] = useState(placeNow);
  useEffect(() => {
    const update = () => setPlace(placeNow());
    window.addEventListener("popstate", update);
    document.addEventListener("click", followLink);
    return () => {
      window.removeEventListener("popstate", update);
      document.removeEventListener("click", followLink);
    };
  }, []);
  return place;
}

export function go(to: string, options: { readonly isReplacing?: boolean } = {}): void {
  if (options.isReplacing === true) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

const placeNow = (): Place => ({
  path: location.pathname,
  search: new URLSearchParams(location.search),
});

function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest("a");
  if (link?.target !== "" || link.origin !== location.origin) return;
  if (link.hash !== "" && link.pathname === location.pathname) return;
  event.preventDefault();
  go(`${link.pathname}${link.search}`);
  window.scrollTo(0, 0);
  document.querySelector<HTMLElement>("main")?.focus();
}
