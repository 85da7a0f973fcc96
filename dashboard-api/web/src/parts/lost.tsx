// lost.tsx — the banner while the server does not answer.
export const Lost = () => (
  <p class="lost" role="status">
    Connection lost: what you see may be old. Trying again …
  </p>
);
