// withheld.ts — takes an address's secrets out of what the other side, or a library, says about a request to it.
//
// Why:   the path or query of a webhook is often all that lets a message in; servers like to repeat it in their answers.
const secretCharsMin = 6; // a shorter part of a path is a word that answers use anyway, such as /api

/** The text without the address, its query, its path and their longer parts. */
export function withheld(text: string, address: string | undefined): string {
  const url = address === undefined ? null : URL.parse(address);
  if (address === undefined || url === null) return text;
  return secretsOf(url, address).reduce((left, secret) => left.replaceAll(secret, "…"), text);
}

/** Longest first: a whole goes before its parts. */
function secretsOf(url: URL, address: string): readonly string[] {
  const { href, username, password, pathname, search } = url;
  const parts = [...pathname.split("/"), ...url.searchParams.values()];
  const long = [pathname, search, ...parts].filter(({ length }) => length >= secretCharsMin);
  return [address, href, `${pathname}${search}`, username, password, ...long]
    .flatMap((secret) => [secret, decoded(secret)])
    .filter((secret) => secret.length > 1)
    .toSorted((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
