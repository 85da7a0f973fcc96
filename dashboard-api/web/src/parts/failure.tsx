// failure.tsx — a refusal in words; for a query, with a mark under the place that was wrong.
import type { ApiFailure } from "../api.ts";

export function Failure(props: {
  readonly failure: ApiFailure | undefined;
  readonly query?: string;
}) {
  const { failure, query } = props;
  if (failure === undefined) return null;
  return (
    <div class="failure" role="alert">
      <p>{failure.message}</p>
      {failure.column !== undefined && query !== undefined && (
        <pre>
          {query}
          {"\n"}
          {" ".repeat(Math.max(0, failure.column - 1))}^ column {failure.column}
        </pre>
      )}
    </div>
  );
}
