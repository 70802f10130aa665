import PostalMime, { type Email } from 'postal-mime'
import { DocumentError } from '../errors.ts'
import type { DocumentLimits } from '../limits.ts'
import { escapeMarkdown, htmlToMarkdown, htmlToText } from './html-text.ts'

export type MailAttachment = { readonly name: string; readonly mediaType: string; readonly content: Uint8Array }

export type ReadEmail = {
  readonly text: string
  readonly markdown: string
  readonly metadata: { readonly [name: string]: string }
  readonly attachments: readonly MailAttachment[]
}

/** Of parts within parts: letters of people have three or four. */
const NESTING_MAX = 32
const HEAD_BYTES_MAX = 1_000_000

/** @throws {DocumentError} document_too_nested, attachments_too_many, document_damaged */
export async function readEmail(
  bytes: Buffer,
  { attachmentsMax }: Pick<DocumentLimits, 'attachmentsMax'>,
): Promise<ReadEmail> {
  const email = await parse(bytes)
  if (email.attachments.length > attachmentsMax) {
    throw new DocumentError(
      'attachments_too_many',
      `The e-mail has ${email.attachments.length} attachments; at most ${attachmentsMax} are taken. Send them by themselves.`,
    )
  }
  const metadata = headOf(email)
  const head = Object.entries(metadata)
  const body = email.text ?? (email.html === undefined ? '' : htmlToText(email.html))
  const bodyAsMarkdown = email.html === undefined ? escapeLines(body) : htmlToMarkdown(email.html)
  return {
    text: [head.map(([name, value]) => `${name}: ${value}`).join('\n'), body.trim()].join('\n\n'),
    markdown: [head.map(([name, value]) => `**${name}:** ${escapeMarkdown(value)}  `).join('\n'), bodyAsMarkdown].join(
      '\n\n',
    ),
    metadata,
    attachments: email.attachments.map(({ filename, mimeType, content }, index) => ({
      name: filename ?? `attachment-${index + 1}`,
      mediaType: mimeType,
      content: typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content as ArrayBuffer), // as asked for below
    })),
  }
}

async function parse(bytes: Buffer): Promise<Email> {
  try {
    return await PostalMime.parse(bytes, {
      attachmentEncoding: 'arraybuffer',
      forceRfc822Attachments: true,
      maxNestingDepth: NESTING_MAX,
      maxHeadersSize: HEAD_BYTES_MAX,
    })
  } catch (cause) {
    const { message } = cause as Error
    if (/nest/i.test(message)) {
      throw new DocumentError(
        'document_too_nested',
        `The e-mail has parts within parts, deeper than ${NESTING_MAX}. It is not read.`,
        { cause },
      )
    }
    throw new DocumentError(
      'document_damaged',
      `The e-mail cannot be read: ${message}. Send it again as an .eml file.`,
      { cause },
    )
  }
}

function headOf(email: Email): Record<string, string> {
  const head: Record<string, string> = {}
  const people = (list: Email['to']) =>
    list?.map(({ name, address }) => (name ? `${name} <${address ?? ''}>` : (address ?? ''))).join(', ')
  const entries = [
    ['Subject', email.subject],
    ['From', email.from && people([email.from])],
    ['To', people(email.to)],
    ['Cc', people(email.cc)],
    ['Date', email.date],
  ] as const
  for (const [name, value] of entries) if (value) head[name] = value
  return head
}

function escapeLines(text: string): string {
  return text.trim().split('\n').map(escapeMarkdown).join('\n')
}
