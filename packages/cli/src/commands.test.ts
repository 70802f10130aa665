import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createClient } from '@headrace/client'
import type { StatusInfo } from '@headrace/wire'
import { readLocalServer } from './connection/local-server.ts'
import { makePlace, type Place, type Served, serve } from './testing/headrace.ts'

// One real server for all of these, each of which submits jobs of its own.
let place: Place
let server: Served

before(async () => {
  place = await makePlace()
  server = await serve(place)
})

after(async () => {
  await server?.stop()
  await place?.[Symbol.asyncDispose]()
})

async function submitEcho(...args: readonly string[]): Promise<string> {
  const { stdout } = await place.run(['submit', 'echo', ...args])
  return stdout.trim()
}

async function statusOf(id: string): Promise<StatusInfo> {
  const { stdout } = await place.run(['job', id, '--json'])
  return JSON.parse(stdout).status
}

test('submit prints the id of the job and nothing else, and job shows it', async () => {
  const { stdout, stderr, code } = await place.run(['submit', 'echo', 'message=hello', '--tag', 'one', '--tag', 'two'])
  assert.match(stdout, /^[0-9a-f-]{36}\n$/)
  assert.deepEqual([stderr, code], ['', 0])
  const shown = await place.run(['job', stdout.trim()])
  assert.match(shown.stdout, /process {3}echo/)
  assert.match(shown.stdout, /tags {6}one two/)
})

test('submit --wait prints the outputs and nothing else on stdout', async () => {
  const { stdout, code } = await place.run(['submit', 'echo', 'message=hello', '--wait'])
  assert.deepEqual(JSON.parse(stdout), { message: 'hello' })
  assert.equal(code, 0)
})

test('inputs come from a file, from stdin or from the argument itself, and single ones go on top', async () => {
  await writeFile(join(place.dir, 'inputs.json'), '{"message":"from a file","numbers":[1,2]}')
  await writeFile(join(place.dir, 'box.json'), '{"bbox":[0,1,2,3]}')
  const dryRun = async (args: readonly string[], input = '') => {
    const { stdout } = await place.run(['submit', 'echo', '--dry-run', ...args], { input })
    return JSON.parse(stdout).inputs
  }
  assert.deepEqual(await dryRun(['-i', '@inputs.json', 'numbers=[3]', 'box=@box.json']), {
    message: 'from a file',
    numbers: [3],
    box: { bbox: [0, 1, 2, 3] },
  })
  assert.deepEqual(await dryRun(['-i', '-'], '{"message":"from stdin"}'), { message: 'from stdin' })
  assert.deepEqual(await dryRun(['-i', '{"message":"from the argument"}']), { message: 'from the argument' })
  assert.deepEqual(await dryRun(['message=007', 'pause=7']), { message: '007', pause: 7 })
})

test('an input that is missing, unknown or no input at all is told before anything is sent', async () => {
  const missing = await place.run(['submit', 'echo'])
  assert.equal(missing.code, 2)
  assert.match(missing.stderr, /^headrace: echo needs message\. Give it as message=… or with -i/)
  const unknown = await place.run(['submit', 'echo', 'massage=hello'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /echo has no input "massage"\. Its inputs are: message, /)
  const neither = await place.run(['submit', 'echo', 'hello'])
  assert.match(neither.stderr, /"hello" is no input\. Write name=value/)
})

test('an input that the server refuses is told with its place', async () => {
  const { stderr, code } = await place.run(['submit', 'echo', 'message=hello', 'pause=99'])
  assert.equal(code, 2)
  assert.match(stderr, /pause/)
  assert.equal(stderr.trim().split('\n').length, 1)
})

test('with the same idempotency key no second job is made', async () => {
  const first = await submitEcho('message=once', '--idempotency-key', 'k1')
  assert.equal(await submitEcho('message=once', '--idempotency-key', 'k1'), first)
  const other = await place.run(['submit', 'echo', 'message=other', '--idempotency-key', 'k1'])
  assert.equal(other.code, 2)
})

test('jobs lists the newest first and filters by state, process, tag and text', async () => {
  const first = await submitEcho('message=first', '--tag', 'listed')
  const second = await submitEcho('message=needle', '--tag', 'listed')
  await place.run(['watch', second])
  const idsOf = async (...args: readonly string[]) => {
    const { stdout } = await place.run(['jobs', '--json', ...args])
    return (JSON.parse(stdout).jobs as StatusInfo[]).map((job) => job.jobID)
  }
  assert.deepEqual(await idsOf('--tag', 'listed'), [second, first])
  assert.deepEqual(await idsOf('--tag', 'listed', '--limit', '1'), [second])
  assert.deepEqual(await idsOf('--search', 'needle', '--process', 'echo', '--state', 'succeeded'), [second])
  assert.deepEqual(await idsOf('--tag', 'listed', '--state', 'failed'), [])
  const table = await place.run(['jobs', '--tag', 'listed', '--limit', '1'])
  assert.match(table.stdout, /^JOB +PROCESS +STATE +PROGRESS +CREATED +RAN +TAGS\n/)
  assert.match(table.stderr, /There are more: --cursor /)
})

test('watch ends as the job does: 0 when it succeeded, 5 when it was cancelled', async () => {
  const good = await place.run(['watch', await submitEcho('message=good')])
  assert.equal(good.code, 0)
  assert.match(good.stderr, /succeeded/)
  const id = await submitEcho('message=long', 'pause=60')
  const watching = place.start(['watch', id])
  await watching.wrote('running')
  const cancelled = await place.run(['cancel', id])
  assert.equal(cancelled.code, 0)
  assert.equal((await watching.ended).code, 5)
})

test('watch and result end with 1, and say why, when the job failed', async () => {
  const local = await readLocalServer(join(place.dir, '.headrace'))
  assert.ok(local?.url)
  const client = createClient({ baseUrl: local.url, token: local.key })
  const job = await client.submit('echo', { message: 'late', pause: 60 }, { deadlineMs: 50 })
  const watched = await place.run(['watch', job.id])
  assert.equal(watched.code, 1)
  assert.match(watched.stderr, /headrace: echo \(job .*\) failed: .*deadline/)
  const result = await place.run(['result', job.id, '--json'])
  assert.equal(result.code, 1)
  assert.equal(JSON.parse(result.stderr).error.code, 'job_failed')
})

test('watch --timeout stops watching with 124, and the job goes on', async () => {
  const id = await submitEcho('message=long', 'pause=60')
  const { code, stderr } = await place.run(['watch', id, '--timeout', '300ms'])
  assert.equal(code, 124)
  assert.match(stderr, /It goes on/)
  assert.notEqual((await statusOf(id)).state, 'cancelled')
  await place.run(['cancel', id])
})

test('Ctrl-C detaches from a watched job, says so, and the job goes on', async () => {
  const id = await submitEcho('message=long', 'pause=60')
  const watching = place.start(['watch', id])
  await watching.wrote('running')
  watching.kill('SIGINT')
  assert.equal((await watching.ended).code, 130)
  assert.equal((await statusOf(id)).state, 'running')
  await place.run(['cancel', id])
})

test('followed logs end with the job and give each line once; stored ones can be filtered', async () => {
  const id = await submitEcho('message=logged', 'pause=1')
  const followed = await place.run(['logs', id, '-f'])
  assert.match(followed.stdout, /^\S+Z info {2}echoing message, pause\n$/)
  assert.equal(followed.code, 0)
  const stored = await place.run(['logs', id, '--json', '--grep', 'echoing'])
  assert.equal(JSON.parse(stored.stdout).message, 'echoing message, pause')
  assert.equal((await place.run(['logs', id, '--level', 'error'])).stdout, '')
  assert.match((await place.run(['logs', id, '--tree'])).stdout, /echoing/)
})

test('result writes the outputs, to a file where one is named', async () => {
  const id = await submitEcho('message=kept')
  await place.run(['watch', id])
  assert.deepEqual(JSON.parse((await place.run(['result', id])).stdout), { message: 'kept' })
  const { stdout, code } = await place.run(['result', id, '-o', 'out.json'])
  assert.deepEqual([stdout, code], ['', 0])
  assert.deepEqual(JSON.parse(await readFile(join(place.dir, 'out.json'), 'utf8')), { message: 'kept' })
})

test('retry prints the id of the new job; to cancel an ended one says that it had ended', async () => {
  const id = await submitEcho('message=again')
  await place.run(['watch', id])
  const { stdout } = await place.run(['retry', id])
  assert.equal((await statusOf(stdout.trim())).retryOf, id)
  assert.match((await place.run(['cancel', id])).stdout, /had ended before: succeeded/)
})

test('retry takes another input, and says where it begins', async () => {
  const id = await submitEcho('message=before')
  await place.run(['watch', id])
  await writeFile(join(place.dir, 'again.json'), '{"message":"after"}')
  const { stdout } = await place.run(['retry', id, '--from', 'start', '--input', '@again.json', '--json'])
  const { jobID, retryOf } = JSON.parse(stdout)
  assert.equal(retryOf, id)
  await place.run(['watch', jobID])
  assert.deepEqual(JSON.parse((await place.run(['result', jobID])).stdout), { message: 'after' })
  const refused = await place.run(['retry', id, '--from', 'failed-step'])
  assert.match(refused.stderr, /has no steps/)
  assert.equal(refused.code, 2)
})

test('redrive retries what failed, once, and says first what it would do', async () => {
  const local = await readLocalServer(join(place.dir, '.headrace'))
  const client = createClient({ baseUrl: server.url, token: local?.key ?? '' })
  const { id } = await client.submit('echo', { message: 'late', pause: 60 }, { deadlineMs: 50, tags: ['dead'] })
  await client.job(id).end()
  const redrive = async (...args: readonly string[]) =>
    JSON.parse((await place.run(['redrive', '--tag', 'dead', '--code', 'deadline_exceeded', '--json', ...args])).stdout)
  assert.deepEqual(await redrive('--dry-run'), { dryRun: true, retried: [{ retryOf: id }], refused: [] })
  const { retried } = await redrive('--task', 'echo')
  assert.deepEqual([retried.length, retried[0].retryOf], [1, id])
  assert.equal((await statusOf(retried[0].jobID)).retryOf, id)
  await client.job(retried[0].jobID).cancel()
  assert.match((await place.run(['redrive', '--tag', 'dead'])).stdout, /^0 failed jobs retried/)
  assert.match((await place.run(['jobs', '--code', 'deadline_exceeded', '--tag', 'dead'])).stdout, new RegExp(id))
})

test('history is of workflows; of a task it says so', async () => {
  const id = await submitEcho('message=plain')
  const refused = await place.run(['history', id])
  assert.match(refused.stderr, /is a task, and only workflows wait for signals and have a history/)
})

test('retention says and sets how long jobs are kept, and prune removes those whose time has passed', async () => {
  assert.match(
    (await place.run(['retention'])).stdout,
    /^all jobs: succeeded 30d, failed 90d, cancelled 30d \(the default\)/,
  )
  const set = await place.run(['retention', '--keep', 'failed=forever', '--keep', 'echo:succeeded=40d', '--json'])
  const { keep, tasks } = JSON.parse(set.stdout)
  assert.deepEqual([keep.succeeded, keep.failed, tasks], ['30d', 'forever', { echo: { succeeded: '40d' } }])
  assert.equal((await place.run(['retention', '--keep', 'failed'])).code, 2)
  const id = await submitEcho('message=old')
  await place.run(['watch', id])
  await place.run(['watch', await submitEcho('message=new')])
  const pruned = JSON.parse((await place.run(['prune', '--json'])).stdout)
  assert.deepEqual([pruned.dryRun, pruned.jobs, pruned.artifacts.removed], [false, 0, { artifacts: 0, bytes: 0 }])
  assert.match((await place.run(['prune', '--older-than', '1d', '--dry-run'])).stdout, /^0 jobs would be removed/)
})

test('processes, process, queues and workers say what there is', async () => {
  assert.match((await place.run(['processes'])).stdout, /^echo +1\.0\.0 +Echo$/m)
  assert.match((await place.run(['process', 'echo'])).stdout, /message +string +yes +Any text\./)
  assert.match((await place.run(['queues'])).stdout, /QUEUE|No queue/)
  assert.match((await place.run(['workers'])).stdout, new RegExp(`${server.command.pid} .* held`))
})

test('what is not there ends with 3', async () => {
  for (const args of [
    ['job', 'none'],
    ['watch', 'none'],
    ['logs', 'none'],
    ['submit', 'none'],
    ['process', 'none'],
  ]) {
    assert.equal((await place.run(args)).code, 3, args.join(' '))
  }
})

test('a signal to what cannot wait for one is refused, and so is a value that is no JSON', async () => {
  const id = await submitEcho('message=signal', 'pause=0')
  const refused = await place.run(['signal', id, 'go', '{"ok":true}'])
  assert.match(refused.stderr, /only workflows wait for signals/)
  assert.notEqual(refused.code, 0)
  const notJson = await place.run(['signal', id, 'go', '{'])
  assert.equal(notJson.code, 2)
  assert.match(notJson.stderr, /The value is not JSON/)
})

test('a refused key ends with 4, and says how to get one', async () => {
  const { stderr, code } = await place.run(['jobs', '--key', 'hr_wrong'])
  assert.equal(code, 4)
  assert.match(stderr, /headrace keys create/)
})

test('a server that does not answer ends with 6, and is named', async () => {
  const { stderr, code } = await place.run(['jobs', '--url', 'http://127.0.0.1:1'])
  assert.equal(code, 6)
  assert.match(stderr, /http:\/\/127\.0\.0\.1:1\/jobs.* cannot be reached/)
})

test('the flag goes before the environment, and that before the local server', async () => {
  const env = { HEADRACE_URL: 'http://127.0.0.1:1', HEADRACE_KEY: 'hr_wrong' }
  assert.equal((await place.run(['jobs'], { env })).code, 6)
  assert.equal((await place.run(['jobs', '--url', server.url], { env })).code, 4)
  const local = await readLocalServer(join(place.dir, '.headrace'))
  assert.equal((await place.run(['jobs', '--url', server.url, '--key', local?.key ?? ''], { env })).code, 0)
})

test('a key that was made works within its scopes until it is revoked', async () => {
  const made = await place.run(['keys', 'create', '--name', 'test', '--owner', 'ada', '--json'])
  const { id, key } = JSON.parse(made.stdout)
  assert.equal((await place.run(['submit', 'echo', 'message=hers', '--key', key])).code, 0)
  assert.equal((await place.run(['workers', '--key', key])).code, 4)
  assert.match((await place.run(['keys', 'list'])).stdout, new RegExp(`${id} +test +ada +submit read-own`))
  assert.equal((await place.run(['keys', 'revoke', id])).code, 0)
  assert.equal((await place.run(['jobs', '--key', key])).code, 4)
  assert.equal((await place.run(['keys', 'revoke', id])).code, 3)
})

test('a layer is added, listed and removed in the data folder', async () => {
  const source = join(place.dir, '.headrace', 'sample', 'sample-soil.tif')
  const added = await place.run([
    'layers',
    'add',
    source,
    '--name',
    'soil',
    '--title',
    'Soil',
    '--classes',
    'soil-groups',
  ])
  assert.match(added.stdout, /^Layer soil is added: 1024 × 1024 cells in EPSG:5070, categorical\.\n$/)
  assert.equal((await place.run(['layers', 'add', source, '--name', 'soil'])).code, 2)
  const classless = await place.run(['layers', 'add', source, '--name', 'other', '--classes', 'none'])
  assert.match(classless.stderr, /"none" names no classes\. Give nlcd, soil-groups, or @file\.json/)
  assert.match((await place.run(['layers', 'list'])).stdout, /^soil +Soil +categorical +EPSG:5070 +1024 × 1024 +7 /m)
  assert.equal((await place.run(['layers', 'remove', 'soil'])).code, 0)
  assert.equal((await place.run(['layers', 'remove', 'soil'])).code, 3)
  const damaged = await place.run(['layers', 'add', 'inputs.json', '--name', 'no-raster'])
  assert.equal(damaged.code, 2)
})

test('doctor finds nothing wrong, and knows the server and its worker', async () => {
  const { stdout, code } = await place.run(['doctor', '--json'])
  const { healthy, findings } = JSON.parse(stdout)
  assert.deepEqual([healthy, code], [true, 0])
  assert.deepEqual(
    findings.map((finding: { check: string; outcome: string }) => `${finding.check} ${finding.outcome}`),
    [
      'Node ok',
      'Data folder ok',
      'Disk ok',
      'Store ok',
      'Store space ok',
      'Store log ok',
      'Artifacts ok',
      'Layers ok',
      'OCR data ok',
      'Server ok',
      'Workers ok',
    ],
  )
})

test('without a terminal there is neither colour nor drawing, and FORCE_COLOR asks for colour', async () => {
  const id = await submitEcho('message=plain')
  const watched = await place.run(['watch', id])
  const tableUnder = async (env: Record<string, string>) => (await place.run(['jobs'], { env })).stdout
  assert.ok(!watched.stderr.includes('\u001b'))
  assert.ok(!(await tableUnder({})).includes('\u001b'))
  assert.ok((await tableUnder({ FORCE_COLOR: '1' })).includes('\u001b['))
  assert.ok(!(await tableUnder({ FORCE_COLOR: '1', NO_COLOR: '1' })).includes('\u001b'))
})

test('with --json an error is one JSON object on stderr, a usage error too', async () => {
  for (const [args, exitCode] of [
    [['job', 'none'], 3],
    [['jobs', '--limit', 'x'], 2],
    [['layers', 'add', 'x'], 2],
  ] as const) {
    const { stdout, stderr, code } = await place.run([...args, '--json'])
    assert.equal(stdout, '')
    const { error } = JSON.parse(stderr)
    assert.deepEqual([error.exitCode, code], [exitCode, exitCode])
    assert.ok(error.message.length > 10 && typeof error.code === 'string')
  }
})

test('the stack is shown only to those who ask for it', async () => {
  assert.doesNotMatch((await place.run(['job', 'none'])).stderr, /\n +at /)
  assert.match((await place.run(['job', 'none'], { env: { HEADRACE_DEBUG: '1' } })).stderr, /\n +at /)
})

test('the example of the client’s README runs as it stands', async () => {
  const readme = await readFile(join(import.meta.dirname, '../../client/README.md'), 'utf8')
  const local = await readLocalServer(join(place.dir, '.headrace'))
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]?.replace('http://127.0.0.1:8080', server.url) ?? ''
  // Given as text, and run from here, so that it finds @headrace/client as this package does.
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', example], {
    cwd: import.meta.dirname,
    env: { ...process.env, HEADRACE_KEY: local?.key },
    encoding: 'utf8',
  })
  assert.equal(stderr, '')
  assert.match(stdout, /^queued \{\}\n[\s\S]*ended \{ state: 'succeeded' \}\n\{ message: 'hello' \}\n$/)
})

test('a queue is paused, set and resumed by its name, and lists what it is set to', async () => {
  const paused = await place.run(['queues', 'pause', 'quarry'])
  assert.match(paused.stdout, /^Queue quarry is paused\. No job, task or worker knew the queue quarry so far; .*\n$/)
  assert.equal(paused.code, 0)
  assert.equal((await place.run(['queues', 'pause', 'quarry'])).stdout, 'Queue quarry is paused.\n')
  const set = await place.run(['queues', 'set', 'quarry', '--rate', '10/1s', '--fair', '--share', 'ada=2', '--json'])
  assert.partialDeepStrictEqual(JSON.parse(set.stdout), {
    queue: 'quarry',
    paused: true,
    rate: { count: 10, perMs: 1_000 },
    fair: true,
    shares: { ada: 2 },
  })
  const list = await place.run(['queues'])
  assert.match(list.stdout, /^QUEUE +STATE +WAITING +OLDEST/)
  assert.match(list.stdout, /^quarry +paused +0 .*10 per 1\.0 s$/m)
  const resumed = await place.run(['queues', 'resume', 'quarry'])
  assert.match(
    resumed.stdout,
    /^Queue quarry takes jobs, 10 per 1\.0 s at most, its owners take turns, weights ada 2\./,
  )
})

test('a queue that is set to nothing, or to what cannot be, is refused with a reason', async () => {
  const nothing = await place.run(['queues', 'set', 'quarry'])
  assert.equal(nothing.code, 2)
  assert.match(nothing.stderr, /Say what to set: --rate/)
  const rate = await place.run(['queues', 'set', 'quarry', '--rate', 'fast'])
  assert.equal(rate.code, 2)
  assert.match(rate.stderr, /such as 10\/1s or 600\/1m, or none/)
  const weight = await place.run(['queues', 'set', 'quarry', '--share', 'ada=0'])
  assert.equal(weight.code, 2)
  assert.match(weight.stderr, /shares\.ada is 0; it must be a weight from 0\.001 to 1000/)
})

test('a schedule is stored, listed, run now, filled in, paused and deleted', async () => {
  const schedules = (...args: readonly string[]) => place.run(['schedules', ...args])
  const put = ['put', 'nightly', 'echo', 'message=by the clock', '--cron', '30 2 1 1 *', '--zone', 'Europe/Berlin']
  const stored = await schedules(...put, '--tag', 'night')
  assert.equal(stored.code, 0, stored.stderr)
  assert.equal(stored.stdout.match(/^ {2}next {5}\d{4}-01-01 02:30:00 Europe\/Berlin$/gm)?.length, 5)
  assert.match((await schedules()).stdout, /^nightly +echo +30 2 1 1 \* +Europe\/Berlin +in /m)
  const run = await schedules('run', 'nightly')
  assert.deepEqual(JSON.parse((await place.run(['result', run.stdout.trim()])).stdout), { message: 'by the clock' })
  const filled = await schedules('backfill', 'nightly', '--from', '2020-01-01', '--to', '2023-06-01')
  assert.match(filled.stdout, /^4 jobs were submitted\. See them: headrace jobs --tag schedule:nightly/)
  assert.match((await schedules('pause', 'nightly')).stdout, /paused {3}nothing is fired/)
  assert.equal(JSON.parse((await schedules('resume', 'nightly', '--json')).stdout).paused, false)
  assert.match((await schedules('delete', 'nightly')).stdout, /^Schedule nightly is deleted\.$/m)
  assert.equal((await schedules('show', 'nightly')).code, 3)
})

test('a schedule that cannot be is refused with a reason', async () => {
  const put = ['schedules', 'put', 'never', 'echo', 'message=x', '--cron']
  const refused = async (...args: readonly string[]) => {
    const { code, stderr } = await place.run(args)
    assert.equal(code, 2)
    return stderr
  }
  assert.match(await refused(...put, '61 * * * *'), /The schedule never cannot be/)
  assert.match(await refused(...put, '0 0 30 2 *'), /never comes again/)
  assert.match(await refused(...put, '@daily', '--zone', 'Mars/Olympus'), /no time zone Mars\/Olympus/)
  assert.match(await refused('schedules', 'put', 'never', 'echo', '--cron', '@daily'), /echo needs message/)
  assert.match(await refused('schedules', 'backfill', 'x', '--from', 'monday', '--to', '2026-01-01'), /Give an instant/)
})

test('a job says why it waits: no worker of its stack, until one comes', async () => {
  const { stdout } = await place.run(['submit', 'echo', 'message=dark', '--deployment', 'green'])
  const id = stdout.trim()
  assert.match((await place.run(['job', id])).stdout, /^No worker of its deployment green takes its queue default\.$/m)
  const list = await place.run(['deployments'])
  assert.match(list.stdout, /^green +dark +0 +1 +0/m)
  const worker = place.start([
    'worker',
    '--deployment',
    'green',
    '--label',
    'gpu',
    '--offer',
    'cpu=2',
    '--name',
    'tall',
  ])
  assert.equal((await place.run(['watch', id])).code, 0)
  assert.match((await place.run(['workers'])).stdout, /^tall .* gpu +cpu 2\/2 +green /m)
  const promoted = await place.run(['deployments', 'promote', 'green'])
  assert.equal(promoted.stdout, 'Deployment green is active; 0 of its jobs wait and 0 run.\n')
  const workers = JSON.parse((await place.run(['workers', '--json'])).stdout).workers as { id: string; name: string }[]
  const tall = workers.find(({ name }) => name === 'tall')?.id ?? ''
  const drained = await place.run(['workers', 'drain', tall.slice(-12), '--grace', '1s'])
  assert.match(drained.stdout, /takes no more jobs, and stops when it is done/)
  const ended = await worker.ended
  assert.equal(ended.code, 0)
  assert.match(ended.stderr, /It was drained/)
  const retired = await place.run(['deployments', 'retire', 'green'])
  assert.match(retired.stdout, /^Deployment green is retired;/)
  assert.equal((await place.run(['deployments', 'promote', 'nowhere'])).code, 3)
})

test('limits are listed while jobs live under them', async () => {
  assert.match((await place.run(['limits'])).stdout, /No live job is under a limit|^LIMIT/)
  assert.match((await place.run(['limits', 'nobody'])).stdout, /^No live job is under the limit nobody\.$/m)
  const offer = await place.run(['worker', '--offer', 'watts=3'])
  assert.equal(offer.code, 2)
  assert.match(offer.stderr, /Give cpu, memoryMb, gpuMemoryMb or slots\.NAME/)
})

test('a canvas is submitted from a file, a node alone or with its onFailure, and a flaw is told with its place', async () => {
  const echo = (message: string) => ({ call: 'echo', input: { message } })
  const canvas = {
    chord: [echo('a'), echo('b')],
    body: { call: 'echo', input: { message: { $ref: 'previous/1/message' } } },
  }
  await writeFile(join(place.dir, 'canvas.json'), JSON.stringify(canvas))
  const done = await place.run(['submit', '--canvas', '@canvas.json', '--wait'])
  assert.deepEqual(JSON.parse(done.stdout), { result: { message: 'b' } })
  const wrong = { canvas: { chain: [echo('a'), { call: 'nothing' }] }, onFailure: echo('c') }
  const refused = await place.run(['submit', '--canvas', JSON.stringify(wrong)])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /canvas\.chain\.1\.call: There is no process "nothing" that a canvas may call/)
  assert.match((await place.run(['submit'])).stderr, /Name a process, or give a --canvas/)
  assert.match((await place.run(['submit', 'echo', '--canvas', '{}'])).stderr, /not both/)
  assert.match((await place.run(['submit', '--canvas', '[]'])).stderr, /A canvas is a JSON object/)
})

test('failed pages are asked for by the document’s job, and what is no document is told', async () => {
  const echo = await submitEcho('message=no document')
  const ran = await place.run(['documents', 'retry', echo, '--page', '3', '--page', '7'])
  assert.equal(ran.code, 3, ran.stderr)
  assert.match(ran.stderr, new RegExp(echo))
  const mistyped = await place.run(['documents', 'retry', echo, '--page', 'three'])
  assert.deepEqual([mistyped.code, /whole number/.test(mistyped.stderr)], [2, true])
})
