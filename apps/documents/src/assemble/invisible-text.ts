import type { DocumentWord } from '@headrace/wire'
import {
  PDFOperatorNames as Op,
  type PDFDocument,
  PDFHexString,
  PDFName,
  PDFNumber,
  PDFOperator,
  type PDFPage,
  type PDFRef,
} from 'pdf-lib'

/** Codes of one font, 0 left out. */
const CODES_MAX = 255
/** Of every glyph, in thousandths of the font's size. */
const GLYPH_WIDTH = 500

/**
 * Writes words that are found and copied, but not seen: fonts whose glyphs are empty, and which say for each what character
 * it stands for. So any script can be written, and no font file is needed.
 */
export class InvisibleText {
  readonly #pdf: PDFDocument
  readonly #fonts: { readonly ref: PDFRef; readonly characters: string[] }[] = []
  readonly #places = new Map<string, { readonly font: number; readonly code: number }>()

  constructor(pdf: PDFDocument) {
    this.#pdf = pdf
  }

  /** Each word fills its box; `toPoints` is points per pixel. */
  write(sheet: PDFPage, words: readonly DocumentWord[], toPoints: number): void {
    const used = new Map<number, PDFName>()
    const nameOf = (font: number): PDFName => {
      const known = used.get(font)
      if (known) return known
      const name = sheet.node.newFontDictionary('Unseen', this.#fontRef(font))
      used.set(font, name)
      return name
    }
    const operators = [PDFOperator.of(Op.BeginText), PDFOperator.of(Op.SetTextRenderingMode, [PDFNumber.of(3)])]
    for (const { text, box } of words) {
      const [left, , right, bottom] = box
      const size = Math.max(1, (bottom - box[1]) * toPoints)
      const runs = this.#runsOf(`${text} `)
      const width = ([...text].length * GLYPH_WIDTH * size) / 1_000
      operators.push(
        PDFOperator.of(Op.SetTextHorizontalScaling, [PDFNumber.of(round((100 * (right - left) * toPoints) / width))]),
        PDFOperator.of(
          Op.SetTextMatrix,
          [1, 0, 0, 1, round(left * toPoints), round(sheet.getHeight() - bottom * toPoints)].map((n) =>
            PDFNumber.of(n),
          ),
        ),
      )
      for (const { font, codes } of runs) {
        operators.push(PDFOperator.of(Op.SetFontAndSize, [nameOf(font), PDFNumber.of(round(size))]))
        operators.push(PDFOperator.of(Op.ShowText, [PDFHexString.of(Buffer.from(codes).toString('hex'))]))
      }
    }
    sheet.pushOperators(...operators, PDFOperator.of(Op.EndText))
  }

  /** Once every page is written: what each code stands for. */
  finish(): void {
    const { context } = this.#pdf
    for (const { ref, characters } of this.#fonts) {
      const glyph = context.register(context.stream(`${GLYPH_WIDTH} 0 d0`))
      const last = characters.length
      context.assign(
        ref,
        context.obj({
          Type: 'Font',
          Subtype: 'Type3',
          FontBBox: [0, 0, GLYPH_WIDTH, 1_000],
          FontMatrix: [0.001, 0, 0, 0.001, 0, 0],
          CharProcs: { g: glyph },
          Encoding: { Type: 'Encoding', Differences: [1, ...characters.map(() => PDFName.of('g'))] },
          FirstChar: 1,
          LastChar: last,
          Widths: characters.map(() => GLYPH_WIDTH),
          Resources: {},
          ToUnicode: context.register(context.flateStream(toUnicode(characters))),
        }),
      )
    }
  }

  #runsOf(text: string): { font: number; codes: number[] }[] {
    const runs: { font: number; codes: number[] }[] = []
    for (const character of text) {
      const { font, code } = this.#placeOf(character)
      const last = runs.at(-1)
      if (last?.font === font) last.codes.push(code)
      else runs.push({ font, codes: [code] })
    }
    return runs
  }

  #placeOf(character: string): { readonly font: number; readonly code: number } {
    const known = this.#places.get(character)
    if (known) return known
    if ((this.#fonts.at(-1)?.characters.length ?? CODES_MAX) >= CODES_MAX) {
      this.#fonts.push({ ref: this.#pdf.context.nextRef(), characters: [] })
    }
    const font = this.#fonts.length - 1
    const place = { font, code: this.#fonts[font]?.characters.push(character) ?? 0 }
    this.#places.set(character, place)
    return place
  }

  #fontRef(font: number): PDFRef {
    const found = this.#fonts[font]
    if (!found) throw new RangeError(`There is no font ${font}.`)
    return found.ref
  }
}

function toUnicode(characters: readonly string[]): string {
  const rows = characters.map((character, index) => `<${hex(Buffer.from([index + 1]))}> <${hex(utf16(character))}>`)
  const blocks: string[] = []
  for (let at = 0; at < rows.length; at += 100) {
    const block = rows.slice(at, at + 100)
    blocks.push(`${block.length} beginbfchar`, ...block, 'endbfchar')
  }
  return [
    '/CIDInit /ProcSet findresource begin',
    '12 dict begin',
    'begincmap',
    '/CMapName /Unseen def',
    '/CMapType 2 def',
    '1 begincodespacerange',
    '<00> <FF>',
    'endcodespacerange',
    ...blocks,
    'endcmap',
    'end',
    'end',
  ].join('\n')
}

function utf16(character: string): Buffer {
  return Buffer.from(character, 'utf16le').swap16()
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase()
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
