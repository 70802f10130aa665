/** A statement under the name by which a connection knows it once it has seen it. */
export type Prepared = { readonly name: string; readonly text: string }

/** The name of a statement that no connection keeps. */
export const UNNAMED = ''
