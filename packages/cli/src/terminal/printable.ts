// What jobs log and name may come from anyone; a terminal must show it, not obey it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** The text with control characters, escape sequences among them, made visible and harmless. Line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replace(CONTROLS, '\ufffd')
}

/** The same on one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s*[\r\n]+\s*/g, ' '))
}
