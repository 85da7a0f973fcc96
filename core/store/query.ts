// query.ts — placeholder of the query language's tree until its parser lands.
export type Query = { readonly kind: "all" };
