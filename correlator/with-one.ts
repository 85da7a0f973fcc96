// with-one.ts — lists that mostly have one item.

/** Adds to the list, which is made when the first one comes: V8 gives an empty list that grows room for 17. */
export function withOne<T>(list: T[] | undefined, one: T): T[] {
  if (list === undefined) return [one];
  list.push(one);
  return list;
}
