/** A value that survives JSON unchanged; inputs, results and step values are of this kind. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
