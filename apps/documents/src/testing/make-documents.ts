import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { type Canvas, createCanvas, GlobalFonts } from '@napi-rs/canvas'
import { PDFDocument, StandardFonts } from 'pdf-lib'
import sharp from 'sharp'

// Documents that tests make by themselves, so that every word in them is known.

const FONTS = join(dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json')), 'standard_fonts')
GlobalFonts.registerFromPath(join(FONTS, 'LiberationSans-Regular.ttf'), 'Known')

export const TALE =
  'It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the ' +
  'epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, it was the ' +
  'spring of hope, it was the winter of despair, we had everything before us, we had nothing before us, we were all going ' +
  'direct to Heaven, we were all going direct the other way. In short, the period was so far like the present period, that ' +
  'some of its noisiest authorities insisted on its being received, for good or for evil, in the superlative degree of ' +
  'comparison only. There were a king with a large jaw and a queen with a plain face, on the throne of England; there were a ' +
  'king with a large jaw and a queen with a fair face, on the throne of France.'

/** A sheet of A4 at 300 dpi: 2480 × 3508 pixels, text of 11 points. */
export function drawText(
  text: string,
  { width = 2_480, height = 3_508, left = 290, top = 300, sizePx = 46 } = {},
): Canvas {
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  context.fillStyle = '#fff'
  context.fillRect(0, 0, width, height)
  context.fillStyle = '#000'
  context.font = `${sizePx}px Known`
  let [line, y] = ['', top]
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (context.measureText(longer).width <= width - 2 * left) line = longer
    else {
      context.fillText(line, left, y)
      ;[line, y] = [word, y + Math.round(sizePx * 1.48)]
    }
  }
  context.fillText(line, left, y)
  return canvas
}

export async function pngOf(canvas: Canvas, dpi = 300): Promise<Buffer> {
  return sharp(canvas.data(), { raw: { width: canvas.width, height: canvas.height, channels: 4 } })
    .removeAlpha()
    .withMetadata({ density: dpi })
    .png()
    .toBuffer()
}

/** A PDF of pages that say these texts, a line each. */
export async function textPdf(pages: readonly string[]): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  const font = await pdf.embedFont(StandardFonts.Helvetica)
  for (const page of pages) {
    const sheet = pdf.addPage([595, 842])
    for (const [index, line] of page.split('\n').entries())
      sheet.drawText(line, { x: 60, y: 770 - 16 * index, size: 11, font })
  }
  return pdf.save()
}

/** A PDF of pages that say a text, and pages that are a PNG, as a scanner makes them. */
export async function mixedPdf(pages: readonly (string | Uint8Array)[]): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  const font = await pdf.embedFont(StandardFonts.Helvetica)
  for (const page of pages) {
    const sheet = pdf.addPage([595, 842])
    if (typeof page === 'string') sheet.drawText(page, { x: 60, y: 770, size: 11, font })
    else sheet.drawImage(await pdf.embedPng(page), { x: 0, y: 0, width: 595, height: 842 })
  }
  return pdf.save()
}

/** A PDF whose one page is a picture of text, as a scanner makes it. */
export async function scannedPdf(png: Uint8Array): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  const picture = await pdf.embedPng(png)
  pdf.addPage([595, 842]).drawImage(picture, { x: 0, y: 0, width: 595, height: 842 })
  return pdf.save()
}

/** A ZIP archive of these files. `claim` is what it says of their unpacked size, where that is to be a lie. */
export function zip(files: Readonly<Record<string, string | Uint8Array>>, { claim }: { claim?: number } = {}): Buffer {
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const plain = Buffer.from(content as Uint8Array)
    const [packed, title] = [deflateRawSync(plain), Buffer.from(name)]
    const sizes = Buffer.alloc(12)
    sizes.writeUInt32LE(crc32(plain), 0)
    sizes.writeUInt32LE(packed.length, 4)
    sizes.writeUInt32LE(claim ?? plain.length, 8)
    const head = Buffer.from('504b0304140000000800000021000000', 'hex').subarray(0, 14)
    const lengths = Buffer.alloc(4)
    lengths.writeUInt16LE(title.length, 0)
    parts.push(head, sizes, lengths, title, packed)
    const entry = Buffer.from('504b01021400140000000800000021000000', 'hex').subarray(0, 16)
    const tail = Buffer.alloc(18)
    tail.writeUInt16LE(title.length, 0)
    tail.writeUInt32LE(offset, 14)
    directory.push(entry, sizes, tail, title)
    offset += 30 + title.length + packed.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(Object.keys(files).length, 8)
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, entries, end])
}

/** A DOCX of a heading, paragraphs and a table. */
export function docx(paragraphs: readonly string[], more = ''): Buffer {
  const body = paragraphs.map((text) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`).join('')
  return zip({
    '[Content_Types].xml':
      '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    '_rels/.rels':
      '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    'word/document.xml': `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}${more}</w:body></w:document>`,
  })
}

/** The share of the known words that were read, each as often as it is there. */
export function wordAccuracy(known: string, read: readonly string[]): number {
  const left = new Map<string, number>()
  for (const word of read) left.set(word, (left.get(word) ?? 0) + 1)
  const words = known.split(/\s+/)
  const hits = words.filter((word) => {
    const count = left.get(word) ?? 0
    left.set(word, count - 1)
    return count > 0
  })
  return hits.length / words.length
}
