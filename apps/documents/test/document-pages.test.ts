import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { JobId } from '@headrace/engine'
import type { DocumentInfo, DocumentList } from '@headrace/wire'
import sharp from 'sharp'
import { drawText, mixedPdf, pngOf, TALE, textPdf } from '../src/testing/make-documents.ts'
import { Documents } from './open-documents.ts'

let documents: Documents

before(async () => {
  documents = await Documents.open()
})

after(() => documents[Symbol.asyncDispose]())

test('a document tells its pages, and gives each of them, its picture and its files', async () => {
  const id = await documents.submit(await textPdf(['The first page of it', 'The second page of it']), {
    name: 'two.pdf',
  })
  await documents.engine.wait(id)
  const info: DocumentInfo = (await documents.send('GET', `/documents/${id}`)).json()
  assert.deepEqual([info.name, info.state, info.progress, info.pageCount], ['two.pdf', 'succeeded', 1, 2])
  assert.deepEqual(
    info.pages.map(({ number, state }) => [number, state]),
    [
      [1, 'succeeded'],
      [2, 'succeeded'],
    ],
  )
  assert.equal(info.summary?.wordCount, 10)
  const page = (await documents.send('GET', `/documents/${id}/pages/2`)).json()
  assert.deepEqual([page.number, page.text], [2, 'The second page of it'])
  const image = await documents.send('GET', `/documents/${id}/pages/2/image`)
  const { format, width } = await sharp(image.rawPayload).metadata()
  assert.deepEqual([image.headers['content-type'], format, width], ['image/jpeg', 'jpeg', page.image.widthPx])
  const again = await documents.send('GET', `/documents/${id}/pages/2/image`, {
    headers: { 'if-none-match': String(image.headers.etag) },
  })
  assert.equal(again.statusCode, 304)
  const text = await documents.send('GET', `/documents/${id}/files/text`)
  assert.deepEqual(
    [text.body, text.headers['content-disposition']?.toString().includes('filename="two.txt"')],
    ['The first page of it\n\nThe second page of it', true],
  )
  for (const [path, code] of [
    ['pages/3', 'page_unknown'],
    ['pages/0', 'page_unknown'],
    ['pages/x', 'page_unknown'],
    ['files/exe', 'format_unknown'],
    ['files/constructor', 'format_unknown'],
  ]) {
    const answer = await documents.send('GET', `/documents/${id}/${path}`)
    assert.deepEqual([path, answer.statusCode, answer.json().code], [path, 404, code])
  }
})

test('a document that is but text has one page without a picture', async () => {
  const id = await documents.submit('Nothing but text.', { name: 'note.txt' })
  await documents.engine.wait(id)
  const info: DocumentInfo = (await documents.send('GET', `/documents/${id}`)).json()
  assert.deepEqual([info.pageCount, info.pages], [1, [{ number: 1, state: 'succeeded' }]])
  assert.equal((await documents.send('GET', `/documents/${id}/pages/1`)).json().text, 'Nothing but text.')
  assert.equal((await documents.send('GET', `/documents/${id}/pages/1/image`)).json().code, 'page_unknown')
})

test('documents are listed to their owner, newest first, by tag, page by page', async () => {
  await using idle = await Documents.open({ withWorker: false })
  const submit = async (name: string, tags: readonly string[]) => {
    const { artifact: id } = (await idle.send('PUT', `/uploads/${name}`, { payload: Buffer.from(name) })).json()
    const inputs = { document: { artifact: id }, name }
    const answer = await idle.send('POST', '/processes/documents.process/execution', {
      payload: { inputs, tags },
      headers: { prefer: 'respond-async' },
    })
    return answer.json().jobID as string
  }
  const ids = [await submit('a', ['batch-1']), await submit('b', ['batch-1']), await submit('c', [])]
  const list = async (query: string, key?: string): Promise<DocumentList> =>
    (await idle.send('GET', `/documents${query}`, key ? { key } : {})).json()
  const idsOf = ({ documents }: DocumentList) => documents.map(({ jobID }) => jobID)
  assert.deepEqual(idsOf(await list('')), ids.toReversed())
  const first = await list('?tag=batch-1&limit=1')
  assert.deepEqual(idsOf(first), [ids[1]])
  assert.deepEqual(idsOf(await list(`?tag=batch-1&limit=1&cursor=${encodeURIComponent(first.next ?? '')}`)), [ids[0]])
  assert.deepEqual(await list('', await idle.keyOf('bob')), { documents: [] })
  assert.equal((await idle.send('GET', '/documents?order=up')).statusCode, 400)
})

test('a failed page is read again alone, and the whole is then as if it had never failed', async () => {
  const words = TALE.slice(0, 80)
  const pdf = await mixedPdf([
    'The first page says its text by itself',
    await pngOf(drawText(words)),
    'So does the third page of this document',
  ])
  const { dir, id } = await readWithoutTimeForOcr(pdf)
  await using here = await Documents.open({ dir })
  const before: DocumentInfo = (await here.send('GET', `/documents/${id}`)).json()
  assert.deepEqual(
    before.pages.map(({ state, error }) => [state, error?.code]),
    [
      ['succeeded', undefined],
      ['failed', 'document_too_slow'],
      ['succeeded', undefined],
    ],
  )
  const answer = await here.send('POST', `/documents/${id}/retry`)
  assert.equal(answer.statusCode, 202, answer.body)
  const twice = await here.send('POST', `/documents/${id}/retry`, { payload: { pages: [2] } })
  const again = answer.json().task_id
  assert.equal(twice.json().task_id, again)
  await here.engine.wait(again)

  const read = (await here.store.tree(again, 100)).filter(({ task }) => task === 'documents.read-page')
  assert.deepEqual(
    read.map(({ tags }) => tags),
    [['page-2']],
  )
  const info: DocumentInfo = (await here.send('GET', `/documents/${again}`)).json()
  assert.deepEqual(
    [info.again, info.pageCount, info.pages.map(({ state }) => state), info.summary?.failedPages],
    [id, 3, ['succeeded', 'succeeded', 'succeeded'], []],
  )
  assert.equal((await here.send('GET', `/documents/${again}/pages/2`)).json().text.replace('\n', ' '), words.trim())
  assert.equal((await here.send('GET', `/elab_status/${again}`)).json().status, 'SUCCESS')
  const undisturbed = await here.summaryOf(await here.submit(pdf, { name: 'mixed.pdf' }))
  assert.deepEqual(info.summary, undisturbed)
})

test('only failed pages of an ended document of one’s own are read again', async () => {
  const id = await documents.submit(await textPdf(['All of it was read']))
  await documents.engine.wait(id)
  const retry = (payload?: object, key?: string) =>
    documents.send('POST', `/documents/${id}/retry`, { ...(payload && { payload }), ...(key && { key }) })
  const codesOf = async (...answers: ReturnType<typeof retry>[]) =>
    (await Promise.all(answers)).map((answer) => [answer.statusCode, answer.json().code])
  assert.deepEqual(await codesOf(retry(), retry({ pages: [1] }), retry({ pages: [] }), retry({ page: 1 })), [
    [409, 'page_not_failed'],
    [409, 'page_not_failed'],
    [400, 'request_invalid'],
    [400, 'request_invalid'],
  ])
  assert.deepEqual(await codesOf(retry(undefined, await documents.keyOf('bob'))), [[404, 'unknown_job']])
  await using idle = await Documents.open({ withWorker: false })
  const waiting = await idle.submit('Not yet.')
  assert.equal((await idle.send('POST', `/documents/${waiting}/retry`)).json().code, 'job_not_ended')
})

/** The document is read where no page may take a millisecond to recognise; what it left behind lies in `dir`. */
async function readWithoutTimeForOcr(pdf: Uint8Array): Promise<{ readonly dir: string; readonly id: JobId }> {
  const hasty = await Documents.open({ limits: { pageMs: 1 } })
  const id = await hasty.submit(pdf, { name: 'mixed.pdf' })
  await hasty.engine.wait(id)
  await hasty.close()
  return { dir: hasty.dir, id }
}
