import mammoth from 'mammoth'
import { DocumentError } from '../errors.ts'
import { htmlToMarkdown, htmlToText } from './html-text.ts'

export type FlatText = { readonly text: string; readonly markdown: string; readonly warnings: readonly string[] }

/** @throws {DocumentError} document_damaged; sizes are checked before, see `checkUnpacked` */
export async function readDocx(bytes: Buffer): Promise<FlatText> {
  try {
    const convertImage = mammoth.images.imgElement(async () => ({ src: '' }))
    const { value: html, messages } = await mammoth.convertToHtml({ buffer: bytes }, { convertImage })
    const warnings = messages.filter(({ type }) => type === 'error').map(({ message }) => message)
    return { text: htmlToText(html), markdown: htmlToMarkdown(html), warnings }
  } catch (cause) {
    throw new DocumentError(
      'document_damaged',
      `The DOCX cannot be read: ${(cause as Error).message}. Save it anew and send it again.`,
      { cause },
    )
  }
}
