import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'
import sharp from 'sharp'

// Pages whose every word is known, as a scanner would give them: A4 at 300 dpi.

export type KnownPage = {
  readonly name: string
  readonly kind: 'plain' | 'rotated' | 'noisy'
  readonly text: string
  readonly png: Buffer
}

const FONTS = join(dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json')), 'standard_fonts')
const FACES = {
  sans: 'LiberationSans-Regular.ttf',
  bold: 'LiberationSans-Bold.ttf',
  italic: 'LiberationSans-Italic.ttf',
  serif: 'FoxitSerif.pfb',
  typewriter: 'FoxitFixed.pfb',
} as const
for (const [face, file] of Object.entries(FACES)) GlobalFonts.registerFromPath(join(FONTS, file), `Known ${face}`)

const [WIDTH_PX, HEIGHT_PX, DPI] = [2_480, 3_508, 300]
const MARGIN_PX = 260

type Look = {
  readonly face: keyof typeof FACES
  readonly points: number
  readonly kind: KnownPage['kind']
  /** Clockwise. */
  readonly degrees?: number
  /** One in so many pixels is black or white by accident. */
  readonly speckEvery?: number
  /** As a bad copy: letters grey, paper not white, edges soft. */
  readonly isFaint?: boolean
}

const LOOKS: readonly Look[] = [
  { kind: 'plain', face: 'sans', points: 11 },
  { kind: 'plain', face: 'serif', points: 12 },
  { kind: 'plain', face: 'typewriter', points: 10 },
  { kind: 'plain', face: 'bold', points: 9 },
  { kind: 'plain', face: 'italic', points: 14 },
  { kind: 'rotated', face: 'sans', points: 11, degrees: 3 },
  { kind: 'rotated', face: 'serif', points: 12, degrees: -5 },
  { kind: 'rotated', face: 'sans', points: 12, degrees: 90 },
  { kind: 'noisy', face: 'sans', points: 12, speckEvery: 60 },
  { kind: 'noisy', face: 'serif', points: 12, isFaint: true },
  { kind: 'noisy', face: 'serif', points: 13, speckEvery: 150, isFaint: true },
]

/** The same pages each time. @param wanted leaves out the others; they are drawn one at a time */
export async function* knownPages(wanted: (index: number) => boolean = () => true): AsyncGenerator<KnownPage> {
  for (const [index, look] of LOOKS.entries()) {
    if (!wanted(index)) continue
    const text = textOf(index)
    const { face, points, kind } = look
    const seen = [look.degrees && `${look.degrees}°`, look.speckEvery && 'specks', look.isFaint && 'faint']
    const name = [kind, face, `${points} pt`, ...seen.filter((one) => one)].join(', ')
    yield { name, kind, text, png: await draw(text, look) }
  }
}

async function draw(text: string, look: Look): Promise<Buffer> {
  const canvas = createCanvas(WIDTH_PX, HEIGHT_PX)
  const context = canvas.getContext('2d')
  context.fillStyle = '#fff'
  context.fillRect(0, 0, WIDTH_PX, HEIGHT_PX)
  context.fillStyle = '#000'
  const sizePx = (look.points / 72) * DPI
  context.font = `${sizePx}px "Known ${look.face}"`
  let [line, y] = ['', 320]
  for (const word of [...text.split(' '), '\n']) {
    const longer = line === '' ? word : `${line} ${word}`
    if (word !== '\n' && context.measureText(longer).width <= WIDTH_PX - 2 * MARGIN_PX) line = longer
    else {
      context.fillText(line, MARGIN_PX, y)
      ;[line, y] = [word, y + Math.round(sizePx * 1.45)]
    }
  }
  let pixels = sharp(canvas.data(), { raw: { width: WIDTH_PX, height: HEIGHT_PX, channels: 4 } }).flatten({
    background: '#fff',
  })
  if (look.degrees) pixels = sharp(await pixels.png().toBuffer()).rotate(look.degrees, { background: '#fff' })
  if (look.isFaint)
    pixels = sharp(await pixels.png().toBuffer())
      .blur(1.1)
      .linear(0.55, 90)
  const { data, info } = await pixels.greyscale().raw().toBuffer({ resolveWithObject: true })
  if (look.speckEvery) addSpecks(data, look.speckEvery)
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 1 } })
    .withMetadata({ density: DPI })
    .png()
    .toBuffer()
}

/** By a generator of its own, so that the same pixels fall out each time (mulberry32). */
function addSpecks(grey: Buffer, every: number): void {
  let state = 8_137
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  for (let speck = 0; speck < grey.length / every; speck++) {
    grey[Math.floor(random() * grey.length)] = random() < 0.6 ? 0 : 255
  }
}

function textOf(index: number): string {
  const first = PASSAGES[index % PASSAGES.length] ?? ''
  const second = PASSAGES[(index + 1) % PASSAGES.length] ?? ''
  return `${first} ${second}`
}

const PASSAGES = [
  'It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the epoch of belief, it was ' +
    'the epoch of incredulity, it was the season of Light, it was the season of Darkness, it was the spring of hope, it was the winter of despair, we ' +
    'had everything before us, we had nothing before us, we were all going direct to Heaven, we were all going direct the other way. In short, the ' +
    'period was so far like the present period, that some of its noisiest authorities insisted on its being received, for good or for evil, in the ' +
    'superlative degree of comparison only.',
  'Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, and nothing particular to interest me on ' +
    'shore, I thought I would sail about a little and see the watery part of the world. It is a way I have of driving off the spleen and regulating ' +
    'the circulation. Whenever I find myself growing grim about the mouth; whenever it is a damp, drizzly November in my soul; whenever I find myself ' +
    'involuntarily pausing before coffin warehouses, and bringing up the rear of every funeral I meet, then I account it high time to get to sea as ' +
    'soon as I can.',
  'The keeper of the mill shall open the sluice at sunrise and close it at sunset, from the first of March to the last of October. In times of flood ' +
    'he shall raise the gate to the third mark, so that no more than 12 cubic feet of water in a second pass the wheel; in times of drought the pond ' +
    'is not to be drawn below 4 feet and 6 inches. For every sack of 140 pounds he may keep one part in sixteen. Of what is broken he shall tell the ' +
    'owner within 3 days, and have it mended by the 25th of the month. The rent is 85 pounds a year, to be paid in equal parts in spring and autumn.',
  'It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife. However little known the ' +
    'feelings or views of such a man may be on his first entering a neighbourhood, this truth is so well fixed in the minds of the surrounding ' +
    'families, that he is considered as the rightful property of some one or other of their daughters. My dear Mr. Bennet, said his lady to him one ' +
    'day, have you heard that Netherfield Park is let at last? Mr. Bennet replied that he had not. But it is, returned she; for Mrs. Long has just ' +
    'been here, and she told me all about it.',
] as const
