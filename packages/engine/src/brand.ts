declare const brand: unique symbol

/** A string of one kind: a `WorkerId` where a `JobId` belongs does not compile. */
export type Branded<Kind extends string> = string & { readonly [brand]: Kind }

/** Ends a `switch` over a union: compiles only when every case was handled. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`)
}
