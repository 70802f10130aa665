/**
 * The SHA-256 of a text in UTF-8, as 64 hexadecimal digits. Node's cryptography takes 4 MB of memory once it is loaded, and most
 * workers never need it, so it is loaded at the first use.
 */
export function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').hash('sha256', text)
}
