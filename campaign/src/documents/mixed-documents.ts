import { docx, drawText, mixedPdf, pngOf, textPdf } from '@headrace/app-documents/testing'
import { seededRandom } from '@headrace/engine/testing'

export type MixedDocument = { readonly name: string; readonly bytes: Uint8Array }

const WORDS =
  'water wheel mill race sluice gate penstock turbine shaft bearing weir pond stream valley bridge miller grain flour stone sack cart road ' +
  'market winter summer flood drought repair letter order price weight measure account ledger master servant'

/** So many documents of all kinds that are read, each with text of its own; the same for the same seed. */
export async function* mixedDocuments(count: number, seed: number): AsyncGenerator<MixedDocument> {
  const random = seededRandom(String(seed))
  const vocabulary = WORDS.split(' ')
  const say = (words: number) =>
    Array.from({ length: words }, () => vocabulary[Math.floor(random() * vocabulary.length)]).join(' ')
  for (let number = 0; number < count; number++) {
    const sentence = (words = 14) => `Document ${number}: ${say(words)}.`
    // Most have a text of their own; one in five is a picture, for recognising takes a hundred times as long.
    const kind = KINDS[number % KINDS.length] ?? 'text'
    yield { name: `${number}-${kind}`, bytes: await make(kind, sentence, 1 + Math.floor(random() * 3)) }
  }
}

const KINDS = ['text', 'pdf', 'scan', 'docx', 'pdf', 'email', 'mixed', 'pdf', 'text', 'broken'] as const

async function make(
  kind: (typeof KINDS)[number],
  sentence: (words?: number) => string,
  pages: number,
): Promise<Uint8Array> {
  switch (kind) {
    case 'text':
      return Buffer.from(Array.from({ length: 20 }, () => sentence()).join('\n'))
    case 'pdf':
      return textPdf(Array.from({ length: pages }, (_, page) => `Page ${page + 1}\n${sentence()}\n${sentence()}`))
    case 'scan':
      return scanOf(sentence(8))
    case 'docx':
      return docx([sentence(), sentence(), sentence()])
    case 'email':
      return emailOf(sentence(30), await textPdf([sentence()]))
    case 'mixed':
      return mixedPdf([sentence(), await scanOf(sentence(8), { height: 900 }), sentence()])
    case 'broken':
      return (await scanOf(sentence(8))).subarray(0, 900)
  }
}

function scanOf(text: string, { height = 500 } = {}): Promise<Buffer> {
  return pngOf(drawText(text, { width: 1_400, height, left: 80, top: 120, sizePx: 50 }))
}

function emailOf(text: string, attachment: Uint8Array): Buffer {
  const packed = Buffer.from(attachment).toString('base64').replace(/.{76}/g, '$&\r\n')
  return Buffer.from(
    [
      'From: Ada <ada@example.org>',
      'To: bob@example.org',
      'Subject: A letter',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: text/plain',
      '',
      text,
      '--x',
      'Content-Type: application/pdf; name=a.pdf',
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment; filename=a.pdf',
      '',
      packed,
      '--x--',
      '',
    ].join('\r\n'),
  )
}
