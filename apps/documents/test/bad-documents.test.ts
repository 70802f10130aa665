import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { docx, drawText, pngOf, textPdf, zip } from '../src/testing/make-documents.ts'
import { Documents } from './open-documents.ts'

let documents: Documents

before(async () => {
  documents = await Documents.open({ limits: { pageMs: 20_000, imagePixelsMax: 20_000_000, patternsMs: 500 } })
})

after(() => documents[Symbol.asyncDispose]())

/** The worker goes on after whatever a document did to it. */
async function assertAlive(): Promise<void> {
  assert.equal((await documents.read('Still here.')).text, 'Still here.')
}

async function endsWith(code: string, content: Uint8Array | string, options: { name?: string } = {}): Promise<string> {
  const error = await documents.errorOf(content, options)
  assert.equal(error.code, code, error.message)
  assert.match(error.message, /\w{3,}.*\./)
  await assertAlive()
  return error.message
}

/** A PDF written by hand: objects by number, the first being the catalogue. */
function rawPdf(objects: readonly (string | Buffer)[], trailer = ''): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')]
  const offsets: number[] = []
  let at = 9
  for (const [index, object] of objects.entries()) {
    const part = Buffer.concat([
      Buffer.from(`${index + 1} 0 obj\n`),
      Buffer.from(object as string),
      Buffer.from('\nendobj\n'),
    ])
    offsets.push(at)
    parts.push(part)
    at += part.length
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`
  parts.push(
    Buffer.from(`${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer}>>\nstartxref\n${at}\n%%EOF\n`),
  )
  return Buffer.concat(parts)
}

function stream(content: Buffer | string, dictionary = ''): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([
    Buffer.from(`<< /Length ${bytes.length} ${dictionary}>>\nstream\n`),
    bytes,
    Buffer.from('\nendstream'),
  ])
}

const onePage = (content: string | Buffer, page = '', catalogue = '') =>
  rawPdf([
    `<< /Type /Catalog /Pages 2 0 R ${catalogue}>>`,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R ${page}>>`,
    content,
  ])

test('an upload without a file, with an empty one or with fields that cannot be read is refused before anything is stored', async () => {
  const empty = await documents.upload('')
  assert.deepEqual([empty.statusCode, empty.json().code], [400, 'upload_invalid'])
  const none = await documents.send('POST', '/elab', { payload: {} })
  assert.deepEqual([none.statusCode, none.json().code], [400, 'upload_invalid'])
  const fields = await documents.upload('text', { fields: { fields: '{' } })
  assert.deepEqual([fields.statusCode, fields.json().code], [400, 'upload_invalid'])
  const pattern = await documents.upload('text', { fields: { fields: '{"patterns":{"a":"("}}' } })
  assert.deepEqual([pattern.statusCode, pattern.json().code], [400, 'input_invalid'])
  assert.equal((await documents.store.jobs({}, { limit: 10 })).jobs.length, 0)
})

test('an upload beyond the limit is cut off with 413, and nothing of it is kept', async () => {
  await using small = await Documents.open({ limits: { fileBytesMax: 1_000 }, withWorker: false })
  const answer = await small.upload(Buffer.alloc(500_000, 'a'))
  assert.deepEqual([answer.statusCode, answer.json().code], [413, 'document_too_large'])
  assert.equal((await Array.fromAsync(small.artifacts.list())).length, 0)
})

test('a document is what its content says, whatever its name; what is not read is named', async () => {
  assert.match(
    await endsWith('document_kind_unsupported', Buffer.from('\x7fELF\x02\x01\x01\0\0\0', 'latin1'), { name: 'a.pdf' }),
    /a program/,
  )
  assert.match(await endsWith('document_kind_unsupported', zip({ 'a.txt': 'x' }), { name: 'a.docx' }), /ZIP/)
  assert.match(await endsWith('document_kind_unsupported', zip({ 'xl/workbook.xml': 'x' })), /Excel/)
  assert.match(await endsWith('document_kind_unsupported', Buffer.from('GIF89a\x01\0', 'latin1')), /GIF/)
  await endsWith('document_kind_unsupported', Buffer.from([0, 1, 2, 3, 254, 7]))
  assert.equal((await documents.read('Just text', { name: 'scan.pdf' })).kind, 'text')
})

test('encrypted documents say that they are', async () => {
  const encrypt = `<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <${'11'.repeat(32)}> /U <${'22'.repeat(32)}> >>`
  const pdf = rawPdf(
    ['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [] /Count 0 >>', encrypt],
    `/Encrypt 3 0 R /ID [<${'33'.repeat(16)}> <${'33'.repeat(16)}>] `,
  )
  await endsWith('document_encrypted', pdf)
  const compound = Buffer.concat([
    Buffer.from('d0cf11e0a1b11ae1', 'hex'),
    Buffer.alloc(512),
    Buffer.from('EncryptedPackage', 'utf16le'),
  ])
  await endsWith('document_encrypted', compound)
})

test('documents that were cut off say so', async () => {
  const png = await pngOf(drawText('Cut off on its way', { height: 500 }))
  const jpeg = await sharp(png).jpeg().toBuffer()
  const pdf = await textPdf(['One page', 'Two pages', 'Three pages'])
  for (const whole of [pdf, docx(['Some text in it']), png, jpeg]) {
    await endsWith('document_truncated', whole.subarray(0, Math.floor(whole.length * 0.6)))
  }
})

test('a PDF of 10,000 pages is refused before a page of it is read', async () => {
  const kids = Array.from({ length: 10_000 }, () => '3 0 R').join(' ')
  const pdf = rawPdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count 10000 >>`,
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>',
  ])
  assert.match(await endsWith('pages_too_many', pdf), /10000 pages; at most 2000/)
})

test('a picture of too many pixels is refused before it is decoded', async () => {
  const bomb = await sharp({ create: { width: 6_000, height: 6_000, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
  assert.match(await endsWith('image_too_large', bomb), /6000 × 6000/)
})

test('a DOCX that unpacks to far more than it is, or lies about it, is not unpacked', async () => {
  const zeros = Buffer.alloc(400_000_000)
  const bomb = zip({ 'word/document.xml': zeros }, { claim: 100 })
  assert.ok(bomb.length < 500_000)
  const before = process.memoryUsage.rss()
  await endsWith('document_bomb', bomb)
  assert.ok(process.memoryUsage.rss() - before < 700_000_000)
})

test('a DOCX of elements within elements without end ends with an error', async () => {
  const depth = 50_000
  const nested = `${'<w:p>'.repeat(depth)}${'</w:p>'.repeat(depth)}`
  await endsWith('document_damaged', docx(['x'], nested))
})

test('an e-mail of parts within parts is refused', async () => {
  let mail = 'From: a@b.c\r\nSubject: deep\r\nMIME-Version: 1.0\r\n'
  for (let depth = 0; depth < 100; depth++)
    mail += `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n`
  await endsWith('document_too_nested', `${mail}Content-Type: text/plain\r\n\r\nat last`)
})

test('e-mails within e-mails are read three deep', async () => {
  let mail = 'From: a@b.c\r\nSubject: innermost\r\nMIME-Version: 1.0\r\n\r\nThe innermost letter'
  for (let depth = 0; depth < 5; depth++) {
    mail = `From: a@b.c\r\nSubject: level ${depth}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x${depth}\r\n\r\n--x${depth}\r\nContent-Type: message/rfc822\r\n\r\n${mail}\r\n--x${depth}--\r\n`
  }
  const result = await documents.read(mail)
  const codes: string[] = []
  for (let list = result.attachments; list[0] !== undefined; ) {
    const [one] = list
    if ('error' in one) {
      codes.push(one.error.code)
      break
    }
    codes.push(one.document.kind)
    list = one.document.attachments
  }
  assert.deepEqual(codes, ['email', 'email', 'document_too_nested'])
})

test('a damaged picture and a damaged PDF say what is wrong', async () => {
  const png = await pngOf(drawText('Damaged', { height: 300 }))
  png.fill(0x55, 60, 400)
  const error = await documents.errorOf(png)
  assert.match(error.code, /^document_(damaged|truncated)$/)
  await endsWith('document_damaged', rawPdf(['<< /Type /Catalog /Pages 9 0 R >>']))
})

test('a PDF whose content unpacks without end ends with an error or is read, in bounded memory', async () => {
  const zeros = deflateSync(Buffer.alloc(200_000_000, ' '), { level: 9 })
  const twice = deflateSync(zeros)
  const pdf = onePage(stream(twice, '/Filter [/FlateDecode /FlateDecode] '))
  const id = await documents.submit(pdf)
  await documents.engine.wait(id)
  await assertAlive()
})

test('what a PDF would run or open is not run, is said, and does not come along into the searchable one', async () => {
  const text = stream('BT /F1 14 Tf 20 100 Td (Harmless words that are long enough) Tj ET')
  const resources = '/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> '
  const actions =
    '/AA << /O << /S /Launch /F (cmd.exe) >> >> /Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://127.0.0.1:9/) >> >>] '
  const script = '/OpenAction << /S /JavaScript /JS (app.alert\\(1\\); while\\(true\\);) >> '
  const id = await documents.submit(onePage(text, resources + actions, script))
  const { files, warnings, wordCount } = await documents.summaryOf(id)
  assert.equal(wordCount, 6)
  assert.match(warnings.join(), /scripts/)
  const made = Buffer.from(await documents.bytesOf(files.pdf?.artifact)).toString('latin1')
  assert.doesNotMatch(made, /JavaScript|Launch|URI|cmd\.exe/)
})

test('a PDF without fonts is read all the same', async () => {
  const text = stream('BT /F1 24 Tf 20 100 Td (Words without any font at all here) Tj ET')
  const result = await documents.read(onePage(text))
  assert.equal(result.pageCount, 1)
  assert.match(result.text, /Words without any font/)
})

test('a pattern that would take for ever is given up, and the document is read', async () => {
  const fields = JSON.stringify({ patterns: { good: 'first (\\w+)', evil: '(a+)+$' } })
  const result = await documents.read(`first word ${'a'.repeat(60)}!`, { fields: { fields } })
  assert.equal(result.fields.good?.value, 'word')
  assert.deepEqual(
    result.fields.evil && 'error' in result.fields.evil && result.fields.evil.error?.code,
    'pattern_too_slow',
  )
})

test('a language without trained data is named, with how to add it', async () => {
  const id = await documents.submit(await pngOf(drawText('Text', { height: 300 })), { fields: { languages: 'xyz' } })
  await documents.engine.wait(id)
  const { error } = (await documents.send('GET', `/elab_status/${id}`)).json()
  assert.equal(error.code, 'ocr_language_missing')
  assert.match(error.message, /npm install/)
})
