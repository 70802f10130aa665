import { createCanvas } from '@napi-rs/canvas'
import sharp from 'sharp'
import { drawText, mixedPdf, pngOf, TALE } from '../../../apps/documents/src/testing/make-documents.ts'

// Documents for the pages' own tests and pictures, made of text that is known.

/** A letter that says its text, a scan that lies a little askew, and a delivery note with a ruled table. */
export async function demoPdf(): Promise<Uint8Array> {
  return mixedPdf([LETTER, await scannedPage(), await deliveryNote()])
}

const LETTER =
  'To the keeper of the lower mill: the headrace is to be drained on Friday, for the wheel needs new bearings.'

export async function scannedPage(): Promise<Buffer> {
  const straight = await pngOf(drawText(`${TALE} ${TALE}`))
  const askew = sharp(straight).rotate(1.2, { background: '#fff' }).resize(2_480, 3_508, { fit: 'cover' })
  return askew.linear(0.86, 20).png().toBuffer()
}

async function deliveryNote(): Promise<Buffer> {
  const sheet = createCanvas(2_480, 3_508)
  const context = sheet.getContext('2d')
  context.drawImage(drawText('Delivery note of the turbine works', { sizePx: 70 }), 0, 0)
  context.font = '46px Known'
  context.lineWidth = 4
  for (const [row, cells] of DELIVERIES.entries()) {
    for (const [column, text] of cells.entries()) {
      context.strokeRect(300 + column * 600, 600 + row * 120, 600, 120)
      context.fillText(text, 340 + column * 600, 675 + row * 120)
    }
  }
  return pngOf(sheet)
}

const DELIVERIES = [
  ['Article', 'Pieces', 'Price'],
  ['Turbine', '12', '950.00'],
  ['Penstock', '3', '120.50'],
  ['Trash rack', '7', '64.00'],
]
