import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseArtifactId } from '@headrace/artifacts'
import type { DocumentContent } from '@headrace/wire'
import sharp from 'sharp'
import { defaultLimits } from '../src/limits.ts'
import { openPdf } from '../src/pdf/open-pdf.ts'
import { docx, drawText, pngOf, scannedPdf, TALE, textPdf, wordAccuracy } from '../src/testing/make-documents.ts'
import { Documents } from './open-documents.ts'

let documents: Documents

before(async () => {
  documents = await Documents.open()
})

after(() => documents[Symbol.asyncDispose]())

test('an upload answers with a task id at once, is pending, and gives its result once it has succeeded', async () => {
  await using idle = await Documents.open({ withWorker: false })
  const uploaded = await idle.upload('Nothing is said of it.', { name: '../../letter.txt' })
  assert.equal(uploaded.statusCode, 202)
  const { task_id: id, status, status_url, result_url } = uploaded.json()
  assert.deepEqual([status, status_url, result_url], ['PENDING', `/elab_status/${id}`, `/elab_result/${id}`])
  const pending = (await idle.send('GET', status_url)).json()
  assert.deepEqual([pending.status, pending.progress, pending.queue_position], ['PENDING', 0, 1])
  const second = (await idle.upload('Another one.')).json().task_id
  assert.equal((await idle.send('GET', `/elab_status/${second}`)).json().queue_position, 2)
  const early = await idle.send('GET', result_url)
  assert.deepEqual([early.statusCode, early.json().code], [409, 'job_not_ended'])

  await idle.startWorker()
  await idle.engine.wait(id)
  assert.deepEqual((await idle.send('GET', status_url)).json().status, 'SUCCESS')
  const result = (await idle.send('GET', result_url)).json()
  assert.deepEqual([result.name, result.kind, result.text], ['letter.txt', 'text', 'Nothing is said of it.'])
})

test('another owner’s document, another task’s job and an unknown id are not there', async () => {
  const id = await documents.submit('Mine.')
  const bob = await documents.keyOf('bob')
  for (const url of [`/elab_status/${id}`, `/elab_result/${id}`]) {
    assert.equal((await documents.send('GET', url, { key: bob })).statusCode, 404)
  }
  assert.equal((await documents.send('GET', '/elab_status/nothing')).json().code, 'unknown_job')
  await documents.engine.wait(id)
  const [, child] = await documents.store.tree(id, 2)
  assert.equal((await documents.send('GET', `/elab_status/${child?.id}`)).statusCode, 404)
})

/** What came of a document: its pages, and whether there is a searchable PDF of it. */
async function madeOf(png: Uint8Array, outputs?: string) {
  const id = await documents.submit(png, outputs === undefined ? {} : { fields: { outputs } })
  await documents.engine.wait(id)
  const { pages, text, imageCount }: DocumentContent = (await documents.send('GET', `/elab_result/${id}`)).json()
  const { statusCode } = await documents.send('GET', `/documents/${id}/files/pdf`)
  assert.ok(statusCode === 200 || statusCode === 404, String(statusCode))
  return { page: pages[0], text, imageCount, hasPdf: statusCode === 200 }
}

test('without outputs a page is read all the same, and neither its image nor a PDF is made', async () => {
  const png = await pngOf(drawText(TALE.slice(0, 200)))
  const [whole, plain] = [await madeOf(png), await madeOf(png, '')]
  assert.deepEqual([whole.hasPdf, plain.hasPdf, plain.text], [true, false, whole.text])
  assert.deepEqual([whole.imageCount, plain.imageCount], [1, 0])
  const [page, seen] = [plain.page, whole.page]
  assert.ok(page?.pixels && page.image === undefined && seen?.image && page.words[0] && seen.words[0])
  // The same places, each in its own pixels.
  const scale = page.pixels.widthPx / seen.image.widthPx
  for (const [index, at] of page.words[0].box.entries())
    assert.ok(Math.abs(at - (seen.words[0].box[index] ?? Number.NaN) * scale) <= 2, `${page.words[0].box}`)
})

test('images come with a PDF, and without one where only they are asked for', async () => {
  const png = await pngOf(drawText('Only a line.', { height: 300 }))
  const [pdf, images] = [await madeOf(png, 'pdf'), await madeOf(png, '["images"]')]
  assert.deepEqual([pdf.hasPdf, pdf.page?.image !== undefined], [true, true])
  assert.deepEqual([images.hasPdf, images.page?.image !== undefined, images.imageCount], [false, true, 1])
  const refused = await documents.upload(png, { fields: { outputs: 'docx' } })
  assert.equal(refused.statusCode, 400)
  assert.match(refused.body, /outputs.*images.*pdf/)
})

test('a PDF is read by its text layer, page by page, with fields, metadata and boxes', async () => {
  const pdf = await textPdf(['Invoice No: 4711\nTotal: 1,234.50 EUR\nPaid on 2026-11-25', TALE.slice(0, 90)])
  const fields = JSON.stringify({
    patterns: { number: 'Invoice No: (\\d+)', missing: 'Order (\\d+)' },
    schema: {
      properties: { total: { type: 'number' }, paid: { type: 'string', format: 'date', labels: ['Paid on'] } },
    },
  })
  const result = await documents.read(pdf, { name: 'invoice.pdf', fields: { fields } })
  assert.deepEqual(
    [result.kind, result.pageCount, result.pages.map(({ source }) => source)],
    ['pdf', 2, ['text-layer', 'text-layer']],
  )
  assert.equal(result.pages[0]?.text, 'Invoice No: 4711\nTotal: 1,234.50 EUR\nPaid on 2026-11-25')
  const values = Object.fromEntries(Object.entries(result.fields).map(([name, { value }]) => [name, value]))
  assert.deepEqual(values, { number: '4711', missing: null, total: 1234.5, paid: '2026-11-25' })
  // 60 points from the left and 72 from the top, at 150 dpi.
  const [first] = result.pages[0]?.words ?? []
  assert.equal(first?.text, 'Invoice')
  const [left = 0, top = 0, , bottom = 0] = first?.box ?? []
  assert.ok(Math.abs(left - 125) <= 2 && top < 150 && bottom > 145, first?.box.join())
  assert.equal(result.language, 'en')
})

test('a scanned PDF is recognised, and becomes one in which its words are found', async () => {
  const png = await pngOf(drawText(TALE))
  const id = await documents.submit(await scannedPdf(png), { name: 'scan.pdf' })
  const { files, confidence = 0 } = await documents.summaryOf(id)
  const page = JSON.parse(Buffer.from(await documents.bytesOf(files.json?.artifact)).toString()).pages[0]
  assert.equal(page.source, 'ocr')
  const words: string[] = page.words.map(({ text }: { text: string }) => text)
  assert.ok(wordAccuracy(TALE, words) >= 0.99 && confidence > 85, `${wordAccuracy(TALE, words)} at ${confidence}`)

  const path = join(documents.dir, 'searchable.pdf')
  await writeFile(path, await documents.bytesOf(files.pdf?.artifact))
  await using opened = await openPdf(path, defaultLimits)
  const { items } = await (await opened.pdf.getPage(1)).getTextContent()
  const found = items.flatMap((item) => ('str' in item ? item.str.split(/\s+/) : []))
  assert.deepEqual(found.filter(Boolean), words)
})

test('each page of a TIFF is read, turned upright and straightened', async () => {
  const upright = await pngOf(drawText(TALE.slice(0, 420), { height: 1_400 }))
  const turned = await sharp(upright).rotate(90).png().toBuffer()
  const skewed = await sharp(upright).rotate(-4, { background: '#fff' }).png().toBuffer()
  const size = { width: 2_600, height: 2_600, fit: 'contain', background: '#fff' } as const
  const sheets = await Promise.all(
    [upright, turned, skewed].map((sheet) =>
      sharp(sheet)
        .resize({ ...size, withoutEnlargement: true })
        .png()
        .toBuffer(),
    ),
  )
  const tiff = await sharp(sheets, { join: { animated: true } })
    .withMetadata({ density: 300 })
    .tiff({ compression: 'lzw' })
    .toBuffer()
  const result = await documents.read(tiff)
  assert.equal(result.pageCount, 3)
  for (const { number, words } of result.pages) {
    const accuracy = wordAccuracy(
      TALE.slice(0, 420),
      words.map(({ text }) => text),
    )
    assert.ok(accuracy >= 0.95, `page ${number}: ${accuracy}`)
  }
  assert.deepEqual(
    result.pages.map(({ turnedDegrees }) => turnedDegrees),
    [0, 270, 0],
  )
  assert.ok(Math.abs((result.pages[2]?.straightenedDegrees ?? 0) - 4) < 0.2)
})

test('a ruled table is read cell by cell, and written as Markdown', async () => {
  const canvas = drawText('Deliveries', { height: 1_600 })
  const context = canvas.getContext('2d')
  const rows = [
    ['Article', 'Pieces', 'Price'],
    ['Turbine', '12', '950.00'],
    ['Penstock', '3', '120.50'],
  ]
  context.lineWidth = 4
  for (const [row, cells] of rows.entries()) {
    for (const [column, text] of cells.entries()) {
      context.strokeRect(300 + column * 600, 500 + row * 120, 600, 120)
      context.fillText(text, 340 + column * 600, 575 + row * 120)
    }
  }
  const [page] = (await documents.read(await pngOf(canvas))).pages
  const [table] = page?.tables ?? []
  assert.deepEqual([table?.rows, table?.columns], [3, 3])
  assert.deepEqual(
    table?.cells.map(({ text }) => text),
    rows.flat(),
  )
  assert.match(
    page?.markdown ?? '',
    /\| Article \| Pieces \| Price \|\n\| --- \| --- \| --- \|\n\| Turbine \| 12 \| 950.00 \|/,
  )
})

test('JPEG and WebP are read like PNG', async () => {
  const png = await pngOf(drawText('Water turns the wheel of the mill', { height: 700, sizePx: 60 }))
  for (const picture of [await sharp(png).jpeg({ quality: 90 }).toBuffer(), await sharp(png).webp().toBuffer()]) {
    assert.equal((await documents.read(picture)).text, 'Water turns the wheel of the mill')
  }
})

test('a DOCX keeps its paragraphs and tables', async () => {
  const cell = (text: string) => `<w:tc><w:p><w:r><w:t>${text}</w:t></w:r></w:p></w:tc>`
  const table = `<w:tbl><w:tr>${cell('a')}${cell('b')}</w:tr><w:tr>${cell('1')}${cell('2')}</w:tr></w:tbl>`
  const result = await documents.read(docx(['The first.', 'The second.'], table), { name: 'wrong.pdf' })
  assert.deepEqual([result.kind, result.text], ['docx', 'The first.\n\nThe second.\n\na\tb\n1\t2'])
  assert.match(result.pages[0]?.markdown ?? '', /\| a \| b \|\n\| --- \| --- \|\n\| 1 \| 2 \|/)
})

test('an e-mail gives its head, its body and each attachment as a document of its own', async () => {
  const attachment = Buffer.from(await textPdf(['Attached and read by itself, without more'])).toString('base64')
  const mail = [
    'From: Ada <ada@example.org>',
    'To: bob@example.org',
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=x',
    '',
    '--x',
    'Content-Type: text/html',
    '',
    '<p>Hello <b>Bob</b></p>',
    '--x',
    'Content-Type: application/pdf; name=a.pdf',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename=a.pdf',
    '',
    attachment.replace(/.{76}/g, '$&\r\n'),
    '--x',
    'Content-Type: application/zip',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename=b.bin',
    '',
    Buffer.from([1, 2, 3, 0, 0]).toString('base64'),
    '--x--',
    '',
  ].join('\r\n')
  const result = await documents.read(mail)
  assert.deepEqual(
    [result.kind, result.metadata.Subject, result.metadata.From],
    ['email', 'Grüße', 'Ada <ada@example.org>'],
  )
  assert.match(result.text, /Hello Bob/)
  const [pdf, other] = result.attachments
  assert.equal(pdf && 'document' in pdf && pdf.document.kind, 'pdf')
  assert.equal(other && 'error' in other && other.error.code, 'document_kind_unsupported')
})

test('a document that another owner uploaded is not read for who knows its hash', async () => {
  const artifact = (
    await documents.send('PUT', '/uploads/secret.txt', { payload: Buffer.from('The secret of ada.') })
  ).json().artifact
  const bob = await documents.keyOf('bob')
  const asked = [
    { url: '/elab', payload: { artifact } },
    { url: '/processes/documents.process/execution', payload: { inputs: { document: { artifact } } } },
  ]
  for (const { url, payload } of asked) {
    const refused = await documents.send('POST', url, { key: bob, payload })
    assert.deepEqual([refused.statusCode, refused.json().code], [404, 'artifact_unknown'])
    const { statusCode } = await documents.send('POST', url, { payload })
    assert.ok(statusCode === 202 || statusCode === 200, `${statusCode}`)
  }
  // Who sends the same bytes has them.
  await documents.upload('The secret of ada.', { key: bob })
  assert.equal((await documents.send('POST', '/elab', { key: bob, payload: { artifact } })).statusCode, 202)
})

test('a document may be an artifact that was stored before, or base64 to the process', async () => {
  const put = await documents.send('PUT', '/uploads/before.txt', { payload: Buffer.from('Stored before.') })
  const id = put.json().artifact
  const elab = await documents.send('POST', '/elab', { payload: { artifact: id, name: 'before.txt' } })
  assert.equal(elab.statusCode, 202)
  const { text } = await documents.engine
    .result(elab.json().task_id)
    .then(async () => (await documents.send('GET', `/elab_result/${elab.json().task_id}`)).json())
  assert.equal(text, 'Stored before.')
  const unknown = await documents.send('POST', '/elab', {
    payload: { artifact: parseArtifactId(`sha256:${'0'.repeat(64)}`) },
  })
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'artifact_unknown'])
  const process = await documents.send('POST', '/processes/documents.process/execution', {
    payload: { inputs: { document: { base64: Buffer.from('Within the request.').toString('base64') } } },
  })
  assert.deepEqual([process.statusCode, process.json().wordCount], [200, 3])
})
