import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { createProgram, run } from './program.ts'
import { recordingTerminal } from './testing/recording-terminal.ts'
import { VERSION } from './version.ts'

/** All but the program itself: a command with commands of its own may be run as well. */
function commandsUnder(command: Command): readonly Command[] {
  return command.commands.flatMap((one) => [one, ...commandsUnder(one)])
}

test('every command has examples that can be copied, and says what it does', async () => {
  const terminal = recordingTerminal()
  const program = createProgram({ terminal, env: {}, exitWith: () => undefined }, { asJson: false })
  const paths = commandsUnder(program).map((command) => [command.parent?.name() ?? '', command.name()])
  assert.ok(paths.length >= 47, `${paths.length} commands`)
  for (const [parent = '', name = ''] of paths) {
    terminal.said.length = 0
    const args = parent === 'headrace' ? [name, '--help'] : [parent, name, '--help']
    assert.equal(await run(args, terminal, {}), 0)
    const help = terminal.said.join('\n')
    assert.match(help, /\n {2}\$ (headrace|cat|export) /, `${parent} ${name} has no example`)
    assert.match(help, /^Usage: headrace .*\n\n\w/, `${parent} ${name} has no description`)
  }
})

test('the version is the package’s own', async () => {
  const terminal = recordingTerminal()
  assert.equal(await run(['--version'], terminal, {}), 0)
  assert.deepEqual(terminal.said, [VERSION])
})

test('a command that does not exist ends with 2 and leads to the help', async () => {
  const terminal = recordingTerminal()
  assert.equal(await run(['jbos'], terminal, {}), 2)
  assert.match(terminal.said.join('\n'), /unknown command 'jbos'[\s\S]*jobs[\s\S]*headrace --help/)
})

test('bin/headrace.cjs runs the command, and passes its exit code on', () => {
  const bin = join(import.meta.dirname, '..', '..', '..', 'bin', 'headrace.cjs')
  const { stdout, status } = spawnSync(process.execPath, [bin, '--version'], { encoding: 'utf8' })
  assert.deepEqual([stdout.trim(), status], [VERSION, 0])
  assert.equal(spawnSync(process.execPath, [bin, 'jbos']).status, 2)
})
