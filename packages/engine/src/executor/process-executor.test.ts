import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, watch } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { suite, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ExecutionRequest, MadeArtifact } from './execution.ts'
import { type ProcessExecutorOptions, processExecutor } from './process-executor.ts'
import { recordedRequest } from './recorded-request.ts'

const LEFTOVERS_MS = 1_000
const KILL_WAIT_MS = 1_000
const GRACE_MS = 5_000
/** A program that does not end fails its test, rather than holding it up for ever. */
const options = {
  skip: process.platform === 'win32' && 'process groups, sh and named pipes are POSIX',
  timeout: 60_000,
}

suite('a program', options, () => {
  test('reads its input from a file and answers with a result', async () => {
    const { request } = recordedRequest({ input: { zoom: 3, name: 'grün' } })
    const script = `printf '{"type":"result","value":%s}\\n' "$(cat "$HEADRACE_INPUT")" >&3`
    assert.deepEqual(await sh(script, request), { zoom: 3, name: 'grün' })
  })

  test('that ends with exit code 0 and without a result has the result null', async () => {
    assert.equal(await sh('true', recordedRequest().request), null)
  })

  test('is told its job, attempt and folder, and sees nothing else of the environment of its worker', async (t) => {
    process.env.HEADRACE_TEST_SECRET = 'postgres://ada:secret@db'
    t.after(() => delete process.env.HEADRACE_TEST_SECRET)
    const { request } = recordedRequest()
    const env = Object(await node(`result({ ...process.env, cwd: process.cwd() })`, request, { env: { REGION: 'eu' } }))
    const { HEADRACE_INPUT, HEADRACE_WORK_DIR, cwd, PATH, HOME, LANG, TMPDIR, ...rest } = env
    assert.deepEqual(rest, {
      HEADRACE_JOB_ID: 'job-7',
      HEADRACE_ATTEMPT: '2',
      HEADRACE_EVENTS_FD: '3',
      HEADRACE_ALIVE_FD: '4',
      REGION: 'eu',
    })
    assert.equal(PATH, process.env.PATH)
    assert.equal(cwd, HEADRACE_WORK_DIR)
    assert.equal(dirname(HEADRACE_INPUT), HEADRACE_WORK_DIR)
  })

  test('works in a fresh folder that is gone when the attempt has ended, failed or not', async () => {
    const { request, recorder } = recordedRequest()
    await assert.rejects(sh('mkdir -p deep/er && touch deep/er/file && pwd; exit 1', request))
    const [workDir = ''] = recorder.logs('info')
    assert.match(workDir, /headrace-attempt-/)
    assert.equal(existsSync(workDir), false)
  })

  test("works in the caller's folder where there is one, and leaves it to the caller", async (t) => {
    const workDir = join(await tmp(t), 'attempt-2')
    await sh('echo hello > file', recordedRequest({ workDir }).request)
    assert.equal(await readFile(join(workDir, 'file'), 'utf8'), 'hello\n')
  })

  test('can be chosen by the request', async () => {
    const { request, recorder } = recordedRequest({ input: 'hello' })
    await processExecutor({ command: ({ input }) => ['echo', String(input)] })(request)
    assert.deepEqual(recorder.logs('info'), ['hello'])
  })

  test('that is not there, or whose folder is not there, is process_not_started', async () => {
    const { request, timers } = recordedRequest()
    const missing = { code: 'process_not_started', message: /no-such-program could not be started/ }
    await assert.rejects(processExecutor({ command: ['no-such-program'] })(request), missing)
    await assert.rejects(sh('true', request, { cwd: '/no/such/folder' }), { code: 'process_not_started' })
    assert.equal(timers.setCount, 0)
  })

  test('is not started when the attempt was aborted before', async () => {
    const { request, abort, recorder } = recordedRequest()
    abort.abort(new Error('cancelled by ada'))
    await assert.rejects(sh('echo started', request), { message: 'cancelled by ada' })
    assert.deepEqual(recorder.all, [])
  })
})

suite('what a program says', options, () => {
  test('on stdout is logged at info and on stderr at warn, line by line', async () => {
    const { request, recorder } = recordedRequest()
    await sh('echo one; echo two; printf three; echo careful >&2', request)
    assert.deepEqual(recorder.logs('info'), ['one', 'two', 'three'])
    assert.deepEqual(recorder.logs('warn'), ['careful'])
  })

  test('in one line longer than the limit becomes several logs, and nothing is lost', async () => {
    const { request, recorder } = recordedRequest()
    await node(`console.log('€'.repeat(100_000))`, request, { logLineBytesMax: 1_000 })
    const pieces = recorder.logs('info')
    assert.equal(pieces.length, Math.ceil(100_000 / 333))
    assert.equal(pieces.join(''), '€'.repeat(100_000))
  })

  test('by events arrives in order, and the last result counts', async () => {
    const { request, recorder } = recordedRequest()
    const program = `
      say({ type: 'progress', fraction: 0.4, message: 'epoch 4 of 10' })
      say({ type: 'metric', name: 'loss', step: 4, value: 0.31 })
      say({ type: 'log', level: 'debug', message: 'hm' })
      say({ type: 'progress', fraction: 1 })
      result('first')
      result('second')`
    assert.equal(await node(program, request), 'second')
    assert.deepEqual(recorder.all, [
      { type: 'progress', fraction: 0.4, message: 'epoch 4 of 10' },
      { type: 'metric', name: 'loss', step: 4, value: 0.31 },
      { type: 'log', level: 'debug', message: 'hm' },
      { type: 'progress', fraction: 1, message: undefined },
    ])
  })

  test('that is no event is logged as a warning which names the line, and does no further harm', async () => {
    const { request, recorder } = recordedRequest()
    const script = `printf '{"type":"progress","fraction":0}\\n\\n{"type":"progress","fr\\n{"type":"result","value":7}' >&3`
    assert.equal(await sh(script, request), 7)
    assert.deepEqual(recorder.logs('warn'), [
      'Event line 3 is ignored, as it is not a JSON object: {"type":"progress","fr',
    ])
  })

  test('in an event that is too long to be read fails the attempt, rather than losing a result', async () => {
    const { request, recorder } = recordedRequest()
    const program = `say({ type: 'progress', fraction: 0 }); result('x'.repeat(5_000)); say({ type: 'progress', fraction: 1 })`
    const tooLong = { code: 'event_line_too_long', message: /Line 2 .* longer than 1000 bytes/, retryable: false }
    await assert.rejects(node(program, request, { eventLineBytesMax: 1_000 }), tooLong)
    assert.deepEqual(
      recorder.all.map(({ type }) => type),
      ['progress', 'progress'],
    )
  })

  test('as an error is what the attempt fails with, even at exit code 0', async () => {
    const program = `say({ type: 'error', message: 'no labels', code: 'dataset_empty', retryable: false }); result(1)`
    await assert.rejects(node(program, recordedRequest().request), {
      name: 'ProgramError',
      message: 'no labels',
      code: 'dataset_empty',
      retryable: false,
    })
  })

  test('is read to the end when the program ends at once after it', async () => {
    const { request, recorder } = recordedRequest()
    await sh('seq 1 20000; echo done >&2', request)
    assert.equal(recorder.logs('info').at(-1), '20000')
    assert.equal(recorder.logs('info').length, 20_000)
  })

  test('waits for its listener: a million lines pass, and no more of them at once than were asked for', async () => {
    let lines = 0
    let linesWhileFull = 0
    let isFull = false
    const events = {
      log: () => {
        lines++
        if (isFull) linesWhileFull++
      },
      drained: async () => {
        isFull = true
        await new Promise(setImmediate)
        isFull = false
      },
    }
    const before = process.memoryUsage().rss
    await sh(`yes ${'x'.repeat(100)} | head -n 1000000`, recordedRequest({ events }).request)
    const grownBytes = process.memoryUsage().rss - before
    assert.equal(lines, 1_000_000)
    assert.equal(linesWhileFull, 0)
    assert.ok(grownBytes < 100e6, `100 MB of lines made the process grow by ${Math.round(grownBytes / 1e6)} MB`)
  })

  test('stays in the pipe, and the program waits, for as long as its listener has no room', async () => {
    const drainAsked = Promise.withResolvers<void>()
    const room = Promise.withResolvers<void>()
    const drained = () => {
      drainAsked.resolve()
      return room.promise
    }
    let lines = 0
    const { request, timers } = recordedRequest({ events: { drained, log: () => void lines++ } })
    const ended = sh('yes | head -n 100000', request)
    await drainAsked.promise
    assert.equal(lines, 256)
    // The program cannot have ended, as its pipe does not hold 100,000 lines; so no timer runs against it.
    assert.equal(timers.setCount, 0)
    room.resolve()
    await ended
    assert.equal(lines, 100_000)
  })
})

suite('an artifact', options, () => {
  test('is kept before the attempt ends, while its file is still there', async () => {
    const kept: string[] = []
    const artifact = async (made: MadeArtifact) => {
      assert.ok('path' in made)
      kept.push(made.name, made.mediaType ?? 'none', await readFile(made.path, 'utf8'))
    }
    const { request } = recordedRequest({ events: { artifact } })
    const program = `
      fs.writeFileSync('model.txt', 'weights')
      say({ type: 'artifact', name: 'model', path: 'model.txt', mediaType: 'text/plain' })
      say({ type: 'artifact', name: 'again', path: process.cwd() + '/model.txt' })`
    await node(program, request)
    assert.deepEqual(kept, ['model', 'text/plain', 'weights', 'again', 'none', 'weights'])
  })

  test('that cannot be kept fails the attempt', async () => {
    const artifact = async () => Promise.reject(new Error('the disk is full'))
    const { request } = recordedRequest({ events: { artifact } })
    const program = `say({ type: 'artifact', name: 'model', path: 'model.txt' }); result(1)`
    await assert.rejects(node(program, request), { message: 'the disk is full' })
  })
})

suite('a program that fails', options, () => {
  test('by its exit code is process_exited, with the last 20 lines of stderr', async () => {
    const { request } = recordedRequest()
    await assert.rejects(sh('seq 1 30 >&2; exit 3', request), (error: Error & { code: string; exitCode: number }) => {
      assert.equal(error.code, 'process_exited')
      assert.equal(error.exitCode, 3)
      assert.deepEqual(
        error.message.split('\n').slice(1),
        Array.from({ length: 20 }, (_, index) => String(index + 11)),
      )
      return true
    })
  })

  test('by a signal that its worker did not send is process_killed, with the signal', async () => {
    const killed = { code: 'process_killed', signal: 'SIGKILL', message: /possibly .* out of memory/ }
    await assert.rejects(sh('kill -KILL $$', recordedRequest().request), killed)
  })
})

suite('to stop a program', options, () => {
  test('is SIGTERM to its whole group: the grandchildren end too, and the reason is what it rejects with', async (t) => {
    const { request, recorder, abort } = recordedRequest()
    const tree = await treeWatch(t)
    const running = sh(`exec 5>${tree.path}; sleep 1000 & (sleep 1000; true) & echo ready; wait`, request)
    await recorder.logged('ready')
    const reason = new Error('cancelled by ada')
    abort.abort(reason)
    await assert.rejects(running, (error) => error === reason)
    await tree.ended
  })

  test('leaves the rest of the group its grace, when the program itself ends at once', async () => {
    const { request, recorder, abort } = recordedRequest()
    const running = sh(`'${process.execPath}' -e '${onSigterm('console.log("saved")')}' & wait`, request)
    await recorder.logged('ready')
    abort.abort(new Error('cancelled by ada'))
    await assert.rejects(running, { message: 'cancelled by ada' })
    assert.deepEqual(recorder.logs('info'), ['ready', 'saved'])
  })

  test('is SIGKILL to the group after the grace, for what ignores SIGTERM, grandchildren included', async (t) => {
    const { request, recorder, abort, timers } = recordedRequest()
    const tree = await treeWatch(t)
    const running = sh(`exec 5>${tree.path}; trap '' TERM; sleep 1000 & echo ready; wait`, request)
    await recorder.logged('ready')
    abort.abort(new Error('cancelled by ada'))
    const killed = assert.rejects(running, {
      code: 'killed_after_grace',
      message: /had not ended 5000 ms later/,
      cause: new Error('cancelled by ada'),
    })
    await timers.fire(GRACE_MS)
    await killed
    await tree.ended
    assert.equal(timers.setCount, 0)
  })

  test('does not wait for a listener that has no room any more', async () => {
    const drainAsked = Promise.withResolvers<void>()
    const drained = () => {
      drainAsked.resolve()
      return new Promise<void>(() => undefined)
    }
    const { request, abort, timers, recorder } = recordedRequest({ events: { drained } })
    const running = sh('yes', request)
    await drainAsked.promise
    abort.abort(new Error('cancelled by ada'))
    const killed = assert.rejects(running, { code: 'killed_after_grace' })
    await timers.fire(GRACE_MS)
    await timers.fire(KILL_WAIT_MS)
    await killed
    assert.equal(recorder.logs('info').length, 256)
  })

  test('may come too late: a program that finishes with a result has finished', async () => {
    const { request, recorder, abort } = recordedRequest()
    const running = node(onSigterm('result(7)'), request)
    await recorder.logged('ready')
    abort.abort(new Error('cancelled by ada'))
    assert.equal(await running, 7)
  })
})

suite('what a program leaves behind', options, () => {
  test('in its group is killed a moment after it, and the attempt has succeeded', async (t) => {
    const { request, timers } = recordedRequest()
    const tree = await treeWatch(t)
    const running = sh(`exec 5>${tree.path}; sleep 1000 & echo '{"type":"result","value":7}' >&3`, request)
    await timers.fire(LEFTOVERS_MS)
    assert.equal(await running, 7)
    await tree.ended
    assert.equal(timers.setCount, 0)
  })

  test('in its group is killed even when it holds none of its pipes', async (t) => {
    const { request } = recordedRequest()
    const tree = await treeWatch(t)
    await sh(`exec 5>${tree.path}; sleep 1000 >/dev/null 2>&1 3>&- 4>&- &`, request)
    await tree.ended
  })

  test('outside its group does not hold up the attempt, which says so', async (t) => {
    const { request, timers, recorder } = recordedRequest()
    const daemon = `
      const { spawn } = require('node:child_process')
      const { pid } = spawn('sleep', ['1000'], { detached: true, stdio: 'inherit' })
      console.log('daemon ' + pid)
      process.exit(0)`
    const running = node(daemon, request)
    const pid = Number((await recorder.logged('daemon')).split(' ')[1])
    t.after(() => process.kill(pid, 'SIGKILL'))
    await timers.fire(LEFTOVERS_MS)
    await timers.fire(KILL_WAIT_MS)
    assert.equal(await running, null)
    assert.match(recorder.logs('warn').join(), /has left its process group/)
  })

  test('in its folder is removed, when it was stopped too', async () => {
    const { request, abort, recorder } = recordedRequest()
    const running = sh('pwd; touch file; echo ready; sleep 1000', request)
    await recorder.logged('ready')
    const [workDir = ''] = recorder.logs('info')
    assert.equal(existsSync(workDir), true)
    abort.abort()
    await assert.rejects(running)
    assert.equal(existsSync(workDir), false)
  })
})

suite('when a worker dies by SIGKILL', options, () => {
  test('its programs are ended, and what they have started, even where they ignore SIGTERM', async (t) => {
    const tree = await treeWatch(t)
    await killWorkerOf(t, `exec 5>${tree.path}; trap '' TERM; sleep 1000 & echo ready; wait`)
    await tree.ended
  })

  test('the folders of its programs are removed', async (t) => {
    const folders = await killWorkerOf(t, 'touch file; echo ready; sleep 1000')
    await emptied(folders)
  })

  test('its programs are ended by another watcher when the first was killed before', async (t) => {
    const tree = await treeWatch(t)
    await killWorkerOf(t, `exec 5>${tree.path}; sleep 1000 & echo ready; wait`, 'lose the watcher first')
    await tree.ended
  })

  test('a program outside its group can see it by the end of HEADRACE_ALIVE_FD', async (t) => {
    const tree = await treeWatch(t)
    const daemon = `
      const { spawn } = require('node:child_process')
      spawn('sh', ['-c', 'echo ready; cat <&4'], { detached: true, stdio: ['inherit', 'inherit', 'inherit', 'inherit', 'inherit', 5] })
      setInterval(() => undefined, 60_000)`
    await killWorkerOf(t, `exec 5>${tree.path}; exec '${process.execPath}' -e '${daemon.replaceAll("'", '"')}'`)
    await tree.ended
  })
})

type Options = Omit<ProcessExecutorOptions, 'command'>

function sh(script: string, request: ExecutionRequest, options: Options = {}): Promise<unknown> {
  return processExecutor({ ...options, command: ['sh', '-c', script] })(request)
}

function node(program: string, request: ExecutionRequest, options: Options = {}): Promise<unknown> {
  const prelude = `
    const fs = require('node:fs')
    const say = (event) => fs.writeSync(Number(process.env.HEADRACE_EVENTS_FD), JSON.stringify(event) + '\\n')
    const result = (value) => say({ type: 'result', value })`
  return processExecutor({ ...options, command: [process.execPath, '-e', `${prelude}\n${program}`] })(request)
}

/** A program that ends with exit code 0 when it is asked to, in place of sh: a shell's trap may come a command too late. */
function onSigterm(action: string): string {
  return `process.on("SIGTERM", () => { ${action}; process.exit(0) }); setInterval(() => 0, 60_000); console.log("ready")`
}

/** A named pipe for a program to open as descriptor 5. `ended` resolves when no process of its tree has it open any more. */
async function treeWatch(t: TestContext): Promise<{ path: string; ended: Promise<void> }> {
  const path = join(await tmp(t), 'open-while-alive')
  execFileSync('mkfifo', [path])
  const stream = createReadStream(path).resume()
  return { path, ended: finished(stream) }
}

/** Gives the folder in which the worker's programs had theirs. */
async function killWorkerOf(t: TestContext, script: string, doing = ''): Promise<string> {
  const program = fileURLToPath(new URL('./worker-process.ts', import.meta.url))
  const folders = await tmp(t)
  const env = { ...process.env, TMPDIR: folders }
  const worker = spawn(process.execPath, [program, script, doing], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => worker.kill('SIGKILL'))
  await once(worker.stdout, 'data')
  worker.kill('SIGKILL')
  await once(worker, 'exit')
  return folders
}

async function tmp(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-test-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function emptied(folder: string): Promise<void> {
  const watcher = watch(folder)
  // Listens before each look, so that no change is missed.
  for (let change = once(watcher, 'change'); (await readdir(folder)).length > 0; change = once(watcher, 'change'))
    await change
  watcher.close()
}
