// docs.tsx — the API's routes, read from its OpenAPI description, so that nothing here can go stale.
import { get } from "../api.ts";
import { Command } from "../parts/command.tsx";
import { Failure } from "../parts/failure.tsx";
import { Fields, type Schema } from "../parts/schema.tsx";
import { useLoaded } from "../use-loaded.ts";

type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly description?: string;
};
type Content = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
type Operation = {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses?: Readonly<Record<string, Content & { readonly description?: string }>>;
};
type OpenApi = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

export function DocsView() {
  const { value: api, failure } = useLoaded("openapi", () => get<OpenApi>("/openapi.json"));
  return (
    <>
      <h1>API</h1>
      <p class="prose">
        Scripts send a token with each request; <code>npx wache token create NAME</code> on the
        machine that runs Wache makes one. The whole description in OpenAPI 3.1 is at{" "}
        <a href="/api/openapi.json" target="_blank" rel="noopener">
          /api/openapi.json
        </a>
        .
      </p>
      <Command
        label="list incidents with a token"
        text={`curl -H "Authorization: Bearer $WACHE_TOKEN" "${location.origin}/api/incidents?status=open"`}
      />
      <Failure failure={failure} />
      {api !== undefined &&
        Object.entries(api.paths).flatMap(([path, operations]) =>
          Object.entries(operations).map(([method, operation]) => (
            <Route key={`${method} ${path}`} method={method} path={path} operation={operation} />
          )),
        )}
    </>
  );
}

function Route(props: {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}) {
  const { method, path, operation } = props;
  const body = schemaOf(operation.requestBody);
  return (
    <details class="route">
      <summary>
        <code>
          <strong>{method.toUpperCase()}</strong> {path}
        </code>{" "}
        {operation.summary} {operation.security?.length === 0 && <span class="badge">open</span>}
      </summary>
      {operation.parameters !== undefined && (
        <>
          <h3>Parameters</h3>
          <Fields
            schema={{
              properties: Object.fromEntries(
                operation.parameters.map((parameter) => [
                  `${parameter.name} (${parameter.in})`,
                  { description: parameter.description, ...parameter.schema },
                ]),
              ),
              required: operation.parameters
                .filter((parameter) => parameter.required === true)
                .map((parameter) => `${parameter.name} (${parameter.in})`),
            }}
          />
        </>
      )}
      {body !== undefined && (
        <>
          <h3>Body</h3>
          <Fields schema={body} />
        </>
      )}
      {Object.entries(operation.responses ?? {}).map(([status, answer]) => (
        <Answer key={status} status={status} schema={schemaOf(answer)} />
      ))}
    </details>
  );
}

const Answer = (props: { readonly status: string; readonly schema: Schema | undefined }) => (
  <>
    <h3>Answer {props.status}</h3>
    {props.schema === undefined ? <p class="dim">no content</p> : <Fields schema={props.schema} />}
  </>
);

const schemaOf = (part: Content | undefined): Schema | undefined =>
  Object.values(part?.content ?? {})[0]?.schema;
