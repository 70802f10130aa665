/** Whether the bytes read as text: UTF-8, UTF-16 with its mark, or an old 8-bit code, without control characters. */
export function looksLikeText(head: Buffer): boolean {
  const text = decodeText(head, { isWhole: false })
  if (text.length === 0) return false
  let controls = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (code === 0 || code === 0xfffd) return false
    const isControl = code < 32 ? !'\t\n\r\f\x1b'.includes(character) : code >= 127 && code < 160
    if (isControl) controls++
  }
  return controls <= text.length / 200
}

/**
 * Text of bytes of an unknown code: UTF-16 by its mark, else UTF-8, else Windows-1252.
 * @param isWhole false where the bytes may end in the middle of a character
 */
export function decodeText(bytes: Uint8Array, { isWhole }: { readonly isWhole: boolean }): string {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole })
  } catch {
    return new TextDecoder('windows-1252').decode(bytes) // every byte means something there
  }
}

/** Headers that a letter has, and that nobody begins a plain text with by chance. */
const MAIL_HEADERS = new Set(['from', 'received', 'return-path', 'message-id', 'mime-version', 'delivered-to'])
const HEADER_LINE = /^([!-9;-~]+):/

/** Whether it begins with header lines as RFC 5322 has them, two of which only a letter has. */
export function looksLikeEmail(head: Buffer): boolean {
  const lines = head.toString('latin1').split(/\r?\n/, 200)
  const names = new Set<string>()
  for (const [index, line] of lines.entries()) {
    if (line === '') break
    const isMailbox = index === 0 && line.startsWith('From ')
    const isContinued = index > 0 && /^[ \t]/.test(line)
    const name = HEADER_LINE.exec(line)?.[1]?.toLowerCase()
    if (name !== undefined) names.add(name)
    else if (!isMailbox && !isContinued) return false
  }
  const found = [...names].filter((name) => MAIL_HEADERS.has(name)).length
  return found >= 2 || (found === 1 && names.has('subject'))
}
